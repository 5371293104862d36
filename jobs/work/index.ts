// Runs that go on without whoever asked for them: submit, work, wait, cancel. Each function loads what it needs when it is called.
import type { JobSpec } from "../../schema/job.ts";
import type { RunSummary } from "../run/types.ts";
import type { WorkOptions } from "./serve.ts";
import type { SubmitOptions, Submitted } from "./submit.ts";
import type { CancelOptions, WaitOptions } from "./wait.ts";

export type { WorkerNote } from "./worker.ts";

/**
 * Puts a job into the queue, for a worker to run. Makes nothing.
 * @param job A validated spec, or the path of a YAML or JSON file.
 * @throws UserError where the spec is wrong or does not fit; `queue-full`; `key-reused` where the key's first run was another.
 */
export async function submitJob(job: JobSpec | string, options: SubmitOptions = {}): Promise<Submitted> {
  return await (await import("./submit.ts")).submitJob(job, options);
}

/**
 * Takes runs from the queue and brings them to their ends, those too whose helper is gone.
 * @returns How many ended here.
 * @throws UserError where environment or ledger can't be used at the start; later troubles are waited out.
 */
export async function work(options: WorkOptions = {}): Promise<number> {
  return await (await import("./serve.ts")).work(options);
}

/** Waits until a run has ended. @throws UserError `wait-timeout`, `unknown-run` */
export async function waitForRun(run: string, options: WaitOptions = {}): Promise<RunSummary> {
  return await (await import("./wait.ts")).waitForRun(run, options);
}

/** Asks for a run's end: a queued one ends at once, another is ended by its worker. Asking again changes nothing. @throws UserError `run-finished`, `unknown-run`; `state-would-be-lost` for a live stream */
export async function cancelRun(run: string, options: CancelOptions = {}): Promise<RunSummary> {
  return await (await import("./wait.ts")).cancelRun(run, options);
}

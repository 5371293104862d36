// Runs of jobs: what the command line, the library door and tests call. Each function loads what it needs when it is called.
import type { JobSpec } from "../../schema/job.ts";
import { LEFT_BEHIND_EXIT, OUTCOME_EXIT } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type {
  DestroyOptions,
  DestroyResult,
  EnvironmentOptions,
  HistoryOptions,
  JobPreview,
  ListOptions,
  LogOptions,
  RunDetails,
  RunHistory,
  RunOptions,
  RunStatus,
  RunSummary,
} from "./types.ts";

export { IsAStream } from "./is-a-stream.ts";

/**
 * Handles SIGINT and SIGTERM around one `run`: the first cancels (and still destroys), the second says what goes on and how
 * long, the third leaves at once and names the command that cleans up. Give it a printer of one line for people.
 */
export { handleInterruptions } from "./signals.ts";
export type * from "./types.ts";

/**
 * Runs one job: makes its cluster, watches it, saves logs and report, destroys it and proves that nothing is left.
 * @param job A validated spec, or the path of a YAML or JSON file.
 * @returns The report of the last attempt, whatever its outcome; `runExitCode` maps it to the command's exit code.
 * @throws UserError where nothing was made: spec, environment, input or credentials are wrong, or the job does not fit;
 *   {@link IsAStream} for a stream, which `startStream` starts.
 */
export async function run(job: JobSpec | string, options: RunOptions = {}): Promise<RunReport> {
  return await (await import("./run.ts")).run(job, options);
}

/** Exit code of `mayfly run` for a report: the outcome's, or that of something left behind. */
export const runExitCode = (report: Pick<RunReport, "outcome" | "left">): number =>
  report.left.length > 0 ? LEFT_BEHIND_EXIT : OUTCOME_EXIT[report.outcome.kind];

/** Sizes and places a job, and makes nothing. `notes` are remarks for people. @throws UserError */
export async function planJob(
  job: JobSpec | string,
  options: EnvironmentOptions & Pick<RunOptions, "runId"> = {},
): Promise<{ readonly plan: Plan; readonly notes: readonly string[] }> {
  return await (await import("./preview.ts")).planJob(job, options);
}

/** What `pulumi preview` shows for the job's stack, and what the policy pack says of it unless `policy` is false. Makes nothing. @throws UserError */
export async function previewJob(
  job: JobSpec | string,
  options: EnvironmentOptions & Pick<RunOptions, "runId" | "signal" | "policy"> = {},
): Promise<JobPreview> {
  return await (await import("./preview.ts")).previewJob(job, options);
}

/** Runs that the ledger knows of, newest first. @throws UserError `state-unknown`, `since-invalid` */
export async function listRuns(options: ListOptions = {}): Promise<readonly RunSummary[]> {
  return await (await import("./history.ts")).listRuns(options);
}

/** All that the ledger knows of a run; of a live stream also what Flink says now, where it can be asked. @throws UserError `unknown-run` */
export async function showRun(run: string, options: EnvironmentOptions = {}): Promise<RunDetails> {
  return await (await import("./history.ts")).showRun(run, options);
}

/** A job's runs, newest first. @throws UserError `unknown-job` */
export async function jobHistory(job: string, options: HistoryOptions = {}): Promise<RunHistory> {
  return await (await import("./history.ts")).jobHistory(job, options);
}

/** @throws UserError `unknown-run` */
export async function runStatus(run: string, options: EnvironmentOptions = {}): Promise<RunStatus> {
  return await (await import("./inspect.ts")).runStatus(run, options);
}

/** Gives a run's log lines to `onLine`: from the pods while they live, else from S3. @throws UserError `unknown-run` */
export async function runLogs(run: string, options: LogOptions): Promise<void> {
  await (await import("./logs.ts")).runLogs(run, options);
}

/**
 * Removes what is left of a run: kept, or its helper died.
 * @throws UserError `unknown-run`; `run-active` while its helper lives; `state-would-be-lost` for a live stream.
 */
export async function destroyRun(run: string, options: DestroyOptions = {}): Promise<DestroyResult> {
  return await (await import("./destroy.ts")).destroyRun(run, options);
}

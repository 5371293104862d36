import { EXIT, UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { RunReport } from "../../schema/report.ts";
import type { Ledger, LedgerRun } from "../ledger/index.ts";
import { Driver } from "../work/driver.ts";
import { queuedState, writeState } from "../work/state.ts";
import type { DriverTools } from "../work/types.ts";
import { holderOf, thisHelper } from "./liveness.ts";
import { newRunId, planAttempt } from "./prepare.ts";
import type { RunOptions } from "./types.ts";

/** All the outside that a foreground run needs. */
export interface ForegroundTools extends Omit<DriverTools, "ledger" | "holder" | "onEvent" | "purpose"> {
  readonly ledger: DriverTools["ledger"] & Pick<Ledger, "submit" | "get">;
}

type ForegroundOptions = RunOptions & { readonly submittedAt: Date };

/** From one look at the ledger for somebody's wish that the run end to the next. */
const WISH_MS = 2000;

/**
 * Brings one run to its end, with its further attempts, for somebody who waits.
 * @throws UserError where nothing was made: then nothing is remembered either; `run-taken-over`
 */
export async function runForeground(
  spec: JobSpec,
  tools: ForegroundTools,
  options: ForegroundOptions,
): Promise<RunReport> {
  const { follow = false, policy = false, signal } = options;
  const holder = holderOf(await thisHelper());
  const row = await record(spec, tools, holder, options);
  const driver = new Driver(row, {
    ...tools,
    holder,
    onEvent: listener(options.onEvent),
    purpose: { kind: "foreground", follow, policy },
  });
  if (signal?.aborted === true) driver.cancel();
  signal?.addEventListener("abort", driver.cancel, { once: true });
  const wishes = setInterval(() => {
    void heed(row.run, tools.ledger, driver);
  }, WISH_MS);
  wishes.unref();
  try {
    const end = await driver.done;
    if (driver.state.phase === "refused") {
      const refusal = await driver.refusal();
      throw refusal instanceof Error ? refusal : takenOver(row.run);
    }
    if (end !== "ended" || driver.report === undefined) throw takenOver(row.run);
    return driver.report;
  } finally {
    clearInterval(wishes);
    signal?.removeEventListener("abort", driver.cancel);
  }
}

/** In the ledger before anything exists, so that a helper that is killed at any later point leaves a trace. */
async function record(
  spec: JobSpec,
  { ledger, environment }: ForegroundTools,
  holder: string,
  { runId, keep = false, submittedAt }: ForegroundOptions,
): Promise<LedgerRun> {
  const run = runId ?? (await newRunId(spec));
  const { plan } = await planAttempt(spec, environment.contract, { run, attempt: 1 });
  await ledger.submit({
    run,
    spec,
    environment: plan.environment,
    connection: environment.path,
    holder,
    submittedAt: submittedAt.toISOString(),
    machine: writeState(queuedState(run, spec, { kind: "foreground", keep })),
  });
  await ledger.update(run, 1, { plan, attempt: 1, phase: "preparing" });
  return await ledger.get(run);
}

/** `mayfly cancel` writes its wish into the ledger. A ledger that is away is asked again. */
async function heed(run: string, ledger: Pick<Ledger, "get">, driver: Driver): Promise<void> {
  try {
    const { cancelRequestedAt } = await ledger.get(run);
    if (cancelRequestedAt !== undefined) driver.cancel();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}

const takenOver = (run: string): UserError =>
  new UserError("run-taken-over", `Run ${run} is not this helper's any more: another one works on it.`, {
    path: run,
    hint: `Nothing to do here: see what becomes of it (npx mayfly show ${run}).`,
    exitCode: EXIT.conflict,
  });

/** A listener that throws is not the run's failure: it is told once, then no more. */
function listener(onEvent: RunOptions["onEvent"]): NonNullable<RunOptions["onEvent"]> {
  let broken = false;
  return (event) => {
    if (broken) return;
    try {
      onEvent?.(event);
    } catch (error) {
      broken = true;
      process.emitWarning(`onEvent of mayfly's run threw, and gets no more events: ${String(error)}`);
    }
  };
}

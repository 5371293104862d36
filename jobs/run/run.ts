import { UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import { type ProcessEngine, startEngine } from "../engine/index.ts";
import { type ObjectStore, openStore } from "../store/index.ts";
import { runAttempt } from "./attempt.ts";
import { openRunCluster, type RunCluster } from "./cluster.ts";
import {
  type Environment,
  findConnection,
  pluginRemarks,
  readConnection,
  readContract,
} from "./environment.ts";
import { Journal } from "./journal.ts";
import { openRunLedger, pruneLedger } from "./ledger.ts";
import { thisHelper } from "./liveness.ts";
import { triesAgain } from "./phases.ts";
import { newRunId, planAttempt, readSpec } from "./prepare.ts";
import { ledgerRecords, type RunRecord, type RunRecords } from "./records.ts";
import type { RunOptions } from "./types.ts";

/** All the outside that a run needs. */
export interface RunTools {
  readonly engine: ProcessEngine;
  readonly cluster: () => Promise<RunCluster>;
  readonly store: ObjectStore;
  readonly records: RunRecords;
}

/** See index.ts. */
export async function run(job: JobSpec | string, options: RunOptions = {}): Promise<RunReport> {
  const submittedAt = new Date();
  const path = await findConnection(options.connection);
  const connection = await readConnection(path);
  // Everything slow begins early, side by side: the engine's process loads Pulumi while this one reads and plans; the cluster's
  // library is loaded while the empty stack is made, which may only be once the run is in the ledger.
  const engine = startEngine(connection);
  const contract = early(readContract(connection.contract));
  let opening: Promise<RunCluster> | undefined;
  const cluster = (): Promise<RunCluster> =>
    (opening ??= openRunCluster(connection, async () => await contract));
  const ledger = early(openRunLedger());
  const store = openStore(connection.s3);
  try {
    const spec = await readSpec(job);
    const environment: Environment = { path, connection, contract: await contract };
    const tools: RunTools = {
      engine,
      cluster,
      store,
      records: ledgerRecords(await ledger),
    };
    const report = await runAttempts(spec, environment, tools, { ...options, submittedAt });
    await pruneLedger(await ledger);
    return report;
  } finally {
    await Promise.allSettled([
      engine.close(),
      opening?.then((opened) => {
        opened.close();
      }),
      ledger.then(async (opened) => {
        await opened.close();
      }),
    ]);
    store.close();
  }
}

/** A promise that is awaited later: its rejection is told there, not as an unhandled one before. */
function early<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Attempt after attempt until one ends in a way that another would not better, or the budget of its class is used up. */
export async function runAttempts(
  spec: JobSpec,
  environment: Environment,
  tools: RunTools,
  options: RunOptions & { readonly submittedAt: Date },
): Promise<RunReport> {
  const runId = options.runId ?? (await newRunId(spec));
  const outcomes: Outcome["kind"][] = [];
  let last: Attempt | undefined;
  for (let attempt = 1; ; attempt++) {
    const { plan } = await planAttempt(spec, environment.contract, { run: runId, attempt });
    const again = (outcome: Outcome): boolean =>
      options.signal?.aborted !== true && triesAgain(spec.retries, [...outcomes, outcome.kind]);
    try {
      last = await recordedAttempt(spec, plan, environment, tools, options, again);
    } catch (error) {
      if (last === undefined || !(error instanceof UserError)) throw error;
      last.journal.warn(`Attempt ${attempt} could not be made: ${error.message}`);
      return await conclude(last);
    }
    const { report, journal } = last;
    if (report.left.length > 0 || report.kept || !again(report.outcome)) return await conclude(last);
    outcomes.push(report.outcome.kind);
    journal.warn(`Attempt ${attempt} ended as ${report.outcome.kind}; the job is tried again.`);
  }
}

interface Attempt {
  readonly report: RunReport;
  readonly journal: Journal;
}

/** The last event of a run, and its record as it stays. */
async function conclude({ report, journal }: Attempt): Promise<RunReport> {
  journal.update({});
  await journal.flush();
  journal.emit({ type: "report", report });
  return report;
}

async function recordedAttempt(
  spec: JobSpec,
  plan: Plan,
  environment: Environment,
  tools: RunTools,
  options: RunOptions & { readonly submittedAt: Date },
  again: (outcome: Outcome) => boolean,
): Promise<Attempt> {
  const record = await newRecord(spec, plan, environment, options.submittedAt);
  // In the ledger before anything exists, so that a helper that is killed at any later point leaves a trace.
  await (plan.attempt === 1 ? tools.records.add(record) : tools.records.put(record));
  const journal = new Journal(tools.records, record, listener(options.onEvent));
  try {
    const { plannedEvent } = await import("../report/index.ts");
    journal.pass(plannedEvent(plan, new Date()));
    if (plan.attempt === 1) for (const remark of pluginRemarks(environment.connection)) journal.warn(remark);
    const report = await runAttempt(plan, {
      engine: tools.engine,
      cluster: tools.cluster,
      store: tools.store,
      journal,
      signal: options.signal ?? new AbortController().signal,
      follow: options.follow ?? false,
      policy: options.policy ?? false,
      submittedAt: options.submittedAt,
      keep: (outcome) => options.keep === true && !again(outcome),
    });
    return { report, journal };
  } catch (error) {
    // Nothing was made: there is nothing to remember. A defect of ours leaves the record, so that `destroy` finds what is left.
    if (error instanceof UserError && plan.attempt === 1) {
      await journal.flush();
      await tools.records.remove(plan.run);
    }
    throw error;
  }
}

async function newRecord(
  spec: JobSpec,
  plan: Plan,
  environment: Environment,
  submittedAt: Date,
): Promise<RunRecord & { readonly spec: JobSpec }> {
  return {
    spec,
    plan,
    phase: "preparing",
    state: "active",
    connection: environment.path,
    helper: await thisHelper(),
    startedAt: submittedAt.toISOString(),
    left: [],
  };
}

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

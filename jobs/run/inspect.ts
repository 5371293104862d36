import { UserError } from "../../base/errors.ts";
import type { PodReport } from "../../schema/report.ts";
import type { RunSummaryRow } from "../ledger/index.ts";
import { openRunCluster, type RunCluster } from "./cluster.ts";
import { readConnection, readContract } from "./environment.ts";
import { withLedger } from "./ledger.ts";
import { helperLives, helperOf } from "./liveness.ts";
import { isEnded, type PlannedRun, planned } from "./records.ts";
import type { EnvironmentOptions, RunState, RunStatus, RunSummary } from "./types.ts";

/** What the ledger says of a run, today: its helper may have died since it was written. */
export async function summarize(row: RunSummaryRow): Promise<RunSummary> {
  const helper = helperOf(row.holder);
  return {
    run: row.run,
    key: row.key,
    job: row.job,
    tenant: row.tenant,
    environment: row.environment,
    interval: row.interval,
    priority: row.priority,
    attempt: row.attempt,
    namespace: row.namespace,
    stack: row.stack,
    state: await stateOf(row),
    phase: row.phase,
    holder: row.holder,
    pid: helper?.pid,
    submittedAt: row.submittedAt,
    startedAt: row.startedAt,
    endedAt: row.endedAt,
    cancelRequestedAt: row.cancelRequestedAt,
    outcome: row.outcome,
    left: row.left,
  };
}

async function stateOf({ state, holder, left }: RunSummaryRow): Promise<RunState> {
  if (state === "queued" || state === "kept") return state;
  if (isEnded(state)) return left.length === 0 ? state : "stale";
  const helper = helperOf(holder);
  return helper !== undefined && (await helperLives(helper)) === false ? "stale" : state;
}

/** See index.ts. */
export async function runStatus(run: string, options: EnvironmentOptions = {}): Promise<RunStatus> {
  const record = await withLedger(async (ledger) => planned(await ledger.get(run)));
  const summary = await summarize(record);
  const { plan, report } = record;
  if (isEnded(summary.state)) return { summary, plan, pods: [], report };
  try {
    const cluster = await openRecorded(record, options);
    try {
      return { summary, plan, report, pods: await livePods(record, cluster) };
    } finally {
      cluster.close();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { summary, plan, report, pods: [], unreachable: error.message };
  }
}

/** The cluster of the environment that a run was made in, or of the one named on the command line. */
export async function openRecorded(
  record: Pick<PlannedRun, "connection">,
  options: EnvironmentOptions,
): Promise<RunCluster> {
  const connection = await readConnection(options.connection ?? record.connection);
  return await openRunCluster(connection, async () => await readContract(connection.contract));
}

async function livePods(
  { plan }: Pick<PlannedRun, "plan">,
  cluster: RunCluster,
): Promise<readonly PodReport[]> {
  await cluster.check();
  const state = await cluster.namespaceState(plan.namespace);
  if (state.kind !== "ours") return [];
  const { podReports } = await import("../report/index.ts");
  return podReports(plan, await cluster.pods(plan.namespace), new Date());
}

import type { PodReport } from "../../schema/report.ts";
import { openRunCluster, type RunCluster } from "./cluster.ts";
import { readConnection, readContract } from "./environment.ts";
import { helperLives } from "./liveness.ts";
import { fileRecords, type RunRecord, type RunRecords } from "./records.ts";
import type { EnvironmentOptions, RunState, RunStatus, RunSummary } from "./types.ts";

/** What a record says today: its helper may have died since it was written. */
export async function summarize(record: RunRecord): Promise<RunSummary> {
  const { plan, phase, helper, startedAt, endedAt, outcome } = record;
  return {
    run: plan.run,
    job: plan.job,
    tenant: plan.tenant,
    environment: plan.environment,
    attempt: plan.attempt,
    namespace: plan.namespace,
    stack: plan.stack,
    state: await stateOf(record),
    phase,
    pid: helper.pid,
    startedAt,
    endedAt,
    outcome,
  };
}

async function stateOf({ state, helper, left }: RunRecord): Promise<RunState> {
  switch (state) {
    case "kept":
      return "kept";
    case "ended":
      return left.length === 0 ? "ended" : "stale";
    case "active":
      return (await helperLives(helper)) === false ? "stale" : "running";
  }
}

/** See index.ts. */
export async function listRuns(records: RunRecords = fileRecords()): Promise<readonly RunSummary[]> {
  const found = await records.list((file) => {
    process.emitWarning(`Not a run record that this version reads: ${file}`);
  });
  return await Promise.all(found.map(summarize));
}

/** See index.ts. */
export async function runStatus(
  run: string,
  options: EnvironmentOptions = {},
  records: RunRecords = fileRecords(),
): Promise<RunStatus> {
  const record = await records.get(run);
  const summary = await summarize(record);
  const { plan, report } = record;
  if (summary.state === "ended") return { summary, plan, pods: [], report };
  try {
    const cluster = await openRecorded(record, options);
    try {
      return { summary, plan, report, pods: await livePods(record, cluster) };
    } finally {
      cluster.close();
    }
  } catch (error) {
    const unreachable = error instanceof Error ? error.message : String(error);
    return { summary, plan, report, pods: [], unreachable };
  }
}

/** The cluster of the environment that a run was made in, or of the one named on the command line. */
export async function openRecorded(record: RunRecord, options: EnvironmentOptions): Promise<RunCluster> {
  const connection = await readConnection(options.connection ?? record.connection);
  return await openRunCluster(connection, async () => await readContract(connection.contract));
}

async function livePods({ plan }: RunRecord, cluster: RunCluster): Promise<readonly PodReport[]> {
  await cluster.check();
  const state = await cluster.namespaceState(plan.namespace);
  if (state.kind !== "ours") return [];
  const { podReports } = await import("../report/index.ts");
  return podReports(plan, await cluster.pods(plan.namespace), new Date());
}

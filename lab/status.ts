import { Api } from "./cluster/api.ts";
import { dnsHealth, healthChecks, nodeHealth, PARTS } from "./cluster/health.ts";
import { supervisionOf } from "./cluster/up.ts";
import { readIfThere } from "./host/files.ts";
import { runningRecord } from "./host/supervise.ts";
import { kindStatus } from "./kind/status.ts";
import { isOfLab, leftovers, requireRoot } from "./leftovers.ts";
import type { LabStatus, PartStatus } from "./parts.ts";
import { type LabPaths, labPaths } from "./paths.ts";
import { ledgerHealth } from "./worker/ledger.ts";
import { knownWorkers } from "./worker/up.ts";

/** The state of each part, checked just now. Never throws for a part that does not work. */
export async function labStatus(): Promise<LabStatus> {
  const paths = labPaths();
  if (readIfThere(paths.kindMarker) !== undefined) return await kindStatus(paths);
  requireRoot();
  const parts = await processParts(paths);
  const working = parts.filter(({ healthy }) => healthy).length;
  const running = parts.filter(({ pid }) => pid !== undefined).length;
  if (working === parts.length) return { kind: "processes", state: "up", parts, leftovers: undefined };
  if (running > 0) return { kind: "processes", state: "degraded", parts, leftovers: undefined };
  const left = await leftovers(paths);
  return {
    kind: "processes",
    state: isOfLab(left) ? "leftovers" : "down",
    parts,
    leftovers: left,
  };
}

async function processParts(paths: LabPaths): Promise<PartStatus[]> {
  const supervision = supervisionOf(paths);
  const checks = healthChecks(paths);
  const kubelet = runningRecord(supervision, "kubelet");
  const daemon = async (name: string, check: () => Promise<string | undefined>): Promise<PartStatus> => {
    const record = runningRecord(supervision, name);
    const problem = record === undefined ? "not running" : await check();
    return {
      name,
      pid: record?.pid,
      healthy: problem === undefined,
      since: record?.startedAt,
      problem,
      log: `${paths.logs}/${name}.log`,
    };
  };
  const other = async (name: string, check: () => Promise<string | undefined>): Promise<PartStatus> => {
    const problem =
      kubelet === undefined ? "not running" : await check().catch((error: unknown) => String(error));
    return {
      name,
      pid: undefined,
      healthy: problem === undefined,
      since: undefined,
      problem,
      log: undefined,
    };
  };
  return await Promise.all([
    ...PARTS.map(async (name) => await daemon(name, checks[name])),
    // Only while there are workers in the cluster.
    ...(knownWorkers(paths) === undefined ? [] : [daemon("postgres", ledgerHealth)]),
    other("node", async () => await nodeHealth(new Api(paths.certificates), kubelet?.startedAt)),
    other("dns", dnsHealth),
  ]);
}

/** The status as rows for a table: part, state, pid, since, problem. */
export const statusRows = (status: LabStatus): string[][] =>
  status.parts.map(({ name, healthy, pid, since, problem }) => [
    name,
    healthy ? "healthy" : "not healthy",
    pid === undefined ? "" : String(pid),
    since ?? "",
    problem ?? "",
  ]);

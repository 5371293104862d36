import { join } from "node:path";
import { UserError } from "../../base/errors.ts";
import { stateDir } from "../../base/paths.ts";
import type { Connection } from "../../schema/connection.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import { type ProcessEngine, startEngine } from "../engine/client.ts";
import type { Ledger, RunSummaryRow } from "../ledger/index.ts";
import { findConnection, readConnection, readContract } from "../run/environment.ts";
import { withLedger } from "../run/ledger.ts";
import { isEnded } from "../run/records.ts";
import { type Cluster, checkCluster, findLeftovers, openCluster } from "../watch/index.ts";
import { listLeases, listNamespaces } from "./cluster.ts";
import { type BackendFiles, openBackend } from "./files.ts";
import { listFolders } from "./folders.ts";
import { orphans } from "./orphans.ts";
import { removeOrphan } from "./remove.ts";
import { listState, type StateFacts } from "./state.ts";
import type { Orphan, Reaped, ReapFacts, ReapOptions, ReapResult, RunFact } from "./types.ts";

const GRACE_SECONDS = 900;

const NO_STATE: StateFacts = { stacks: [], locks: [], strange: [] };

/** Namespaces that are removed at once: most of the time is waiting. */
const PARALLEL = 8;

/** What it works with. */
interface Place {
  readonly connection: Connection;
  readonly contract: EnvironmentContract;
  readonly cluster: Cluster;
  readonly ledger: Ledger;
  /** Undefined where it is none of files. */
  readonly backend: BackendFiles | undefined;
  readonly graceMs: number;
}

/** See index.ts. */
export async function reap(options: ReapOptions = {}): Promise<ReapResult> {
  const connection = await readConnection(await findConnection(options.connection));
  const contract = await readContract(connection.contract);
  // Without the ledger everything would look like an orphan: its errors end this before anything is looked at.
  return await withLedger(async (ledger) => {
    const cluster = await openCluster(connection.kubeconfig);
    const backend = openBackend(connection.pulumi.backendUrl, connection.s3);
    try {
      await checkCluster(cluster, { clusterId: contract.clusterId, environment: contract.name });
      const graceMs = (options.graceSeconds ?? GRACE_SECONDS) * 1000;
      return await reapIn({ connection, contract, cluster, ledger, backend, graceMs }, options);
    } finally {
      cluster.close();
      backend?.close();
    }
  });
}

async function reapIn(place: Place, options: ReapOptions): Promise<ReapResult> {
  const { connection, contract, ledger } = place;
  const { facts, strange } = await look(place);
  const found = orphans(facts);
  const reaped = options.remove === true ? await removeAll(found, place, options) : found.map(kept);
  const { backendUrl } = connection.pulumi;
  return {
    environment: contract.name,
    ledger: ledger.location,
    orphans: reaped,
    remarks: [
      ...(place.backend === undefined
        ? [`Pulumi's state in ${withoutQuery(backendUrl)} was not looked at: only file:// and s3:// are.`]
        : []),
      ...strange.map((path) => `Left alone, since this version does not know a state of its form: ${path}`),
      ...(await clearLeft(reaped, place)),
    ],
  };
}

const withoutQuery = (url: string): string => url.replace(/\?.*$/s, "");

const kept = (orphan: Orphan): Reaped => ({ ...orphan, fate: "kept" });

/** The ledger last: a run is in it before anything of it exists, so whatever was seen before is in it or unknown. */
async function look({
  contract,
  cluster,
  ledger,
  backend,
  graceMs,
}: Place): Promise<{ readonly facts: ReapFacts; readonly strange: readonly string[] }> {
  const tenantNamespaces = contract.tenants.map(({ namespace }) => namespace);
  const [namespaces, leases, { stacks, locks, strange }, folders] = await Promise.all([
    listNamespaces(cluster),
    listLeases(cluster, tenantNamespaces),
    backend === undefined ? NO_STATE : listState(backend),
    listFolders(join(stateDir(), "work")),
  ]);
  const runs = (await ledger.list()).map(factOf);
  const environment = contract.name;
  const now = Date.now();
  const facts = {
    now,
    graceMs,
    environment,
    tenantNamespaces,
    runs,
    namespaces,
    leases,
    stacks,
    locks,
    folders,
  };
  return { facts, strange };
}

const factOf = (row: RunSummaryRow): RunFact => ({
  run: row.run,
  tenant: row.tenant,
  job: row.job,
  environment: row.environment,
  state: row.state,
  attempt: row.attempt,
  stack: row.stack,
  endedAt: isEnded(row.state) ? Date.parse(row.endedAt ?? row.updatedAt) : undefined,
});

async function removeAll(
  found: readonly Orphan[],
  place: Place,
  { unknown, onRemoving }: ReapOptions,
): Promise<readonly Reaped[]> {
  let started: ProcessEngine | undefined;
  const tools = {
    collect: async () => (await look(place)).facts,
    cluster: place.cluster,
    removeLock: async (path: string) => {
      await place.backend?.remove(path);
    },
    engine: () => (started ??= startEngine(place.connection)),
  };
  const removed = async (orphan: Orphan): Promise<Reaped> => {
    if (orphan.ofRun === "unknown" && unknown !== true) return kept(orphan);
    onRemoving?.(orphan);
    return await removeOrphan(orphan, tools);
  };
  try {
    const results: Reaped[] = [];
    for (const batch of batches(found)) results.push(...(await Promise.all(batch.map(removed))));
    return results;
  } finally {
    await started?.close();
  }
}

/** In order, one after the other; only namespaces side by side. */
function batches(found: readonly Orphan[]): readonly (readonly Orphan[])[] {
  const all: Orphan[][] = [];
  for (const orphan of found) {
    const last = all.at(-1);
    const together = orphan.kind === "namespace" && last?.[0]?.kind === "namespace";
    if (together && last.length < PARALLEL) last.push(orphan);
    else all.push([orphan]);
  }
  return all;
}

/** Notes in the ledger that nothing is left any more of ended runs whose last things were removed. Returns what went wrong. */
async function clearLeft(reaped: readonly Reaped[], place: Place): Promise<readonly string[]> {
  const runs = new Set(
    reaped.flatMap(({ run, fate }) => (run === undefined || fate !== "removed" ? [] : [run])),
  );
  const remarks: string[] = [];
  for (const row of runs.size === 0 ? [] : await place.ledger.list({ leftBehind: true })) {
    const rest = reaped.some(({ run, fate }) => run === row.run && fate !== "removed");
    if (!runs.has(row.run) || rest || !isEnded(row.state)) continue;
    try {
      const at = { run: row.run, namespace: row.namespace ?? row.run };
      const { objects, unknown } = await findLeftovers(place.cluster, at);
      if (objects.length === 0 && unknown.length === 0)
        await place.ledger.update(row.run, row.version, { left: [] });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      remarks.push(`The ledger still says that something is left of run ${row.run}: ${error.message}`);
    }
  }
  return remarks;
}

// What has to hold after each fault, however the run ended.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LedgerRun, openLedger, TERMINAL_STATES } from "../../jobs/ledger/index.ts";
import { type Cluster, findLeftovers } from "../../jobs/watch/index.ts";
import { labStore } from "../../lab/store.ts";
import type { Place } from "./place.ts";
import { processesWith } from "./processes.ts";
import type { Write } from "./proxy.ts";

/** A promise and how it was broken; empty where it held. */
export interface Checked {
  readonly name: string;
  readonly broken: readonly string[];
}

/** All runs that a place's ledger knows. */
export async function ledgerRuns({ ledger }: Pick<Place, "ledger">): Promise<LedgerRun[]> {
  const opened = await openLedger(ledger);
  try {
    const rows = await opened.list();
    return await Promise.all(rows.map(async ({ run }) => await opened.get(run)));
  } finally {
    await opened.close();
  }
}

export const isTerminal = ({ state }: Pick<LedgerRun, "state">): boolean =>
  TERMINAL_STATES.some((terminal) => terminal === state);

/** Every run of the place has a terminal state, and the ledger does not say that something is left. */
export function checkEnded(runs: readonly Pick<LedgerRun, "run" | "state" | "left">[]): Checked {
  return {
    name: "ended",
    broken: runs.flatMap((run) => [
      ...(isTerminal(run) ? [] : [`${run.run} is ${run.state} in the ledger`]),
      ...(run.left.length === 0 ? [] : [`${run.run} left ${run.left.join(", ")}`]),
    ]),
  };
}

/** What the cluster has with the label of one of these runs, or in its namespace: a line each. */
export async function leftOf(
  cluster: Cluster,
  runs: readonly Pick<LedgerRun, "run" | "namespace">[],
): Promise<string[]> {
  const left: string[] = [];
  for (const { run, namespace } of runs) {
    const { objects, unknown } = await findLeftovers(cluster, { run, namespace: namespace ?? run });
    for (const { kind, name, terminating } of objects)
      left.push(`${run}: ${kind} ${name} is there${terminating ? ", being deleted" : ""}`);
    for (const kind of unknown) left.push(`${run}: ${kind} could not be listed`);
  }
  return left;
}

/** Nothing in the cluster carries the label of a run that ended, or lies in its namespace. */
export async function checkNothingLive(
  cluster: Cluster,
  place: Place,
  runs: readonly LedgerRun[],
): Promise<Checked> {
  const broken = await leftOf(cluster, runs);
  // A run that no ledger knows any more, or never knew, is an orphan of the worst kind.
  const known = new Set(runs.map(({ namespace }) => namespace));
  for (const name of await namespacesOf(cluster, place.name)) {
    if (!known.has(name)) broken.push(`namespace ${name} is there, and the ledger knows no run of it`);
  }
  return { name: "nothing live", broken };
}

/** Namespaces of a job's runs. */
export async function namespacesOf(cluster: Cluster, job: string): Promise<string[]> {
  const list = await cluster.api.text("/api/v1/namespaces", {
    query: { labelSelector: `mayfly.dev/job=${job}` },
  });
  return [...list.matchAll(/"metadata":\{"name":"([^"]+)"/g)].map(([, name = ""]) => name);
}

/** Every file below a folder. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The backend holds no stack and no lock, nor an old copy of one. */
export async function checkBackend({ backend }: Pick<Place, "backend">): Promise<Checked> {
  const kept = (await filesOf(backend))
    .map((file) => file.slice(backend.length + 1))
    .filter((file) => /\.pulumi\/(stacks|locks|backups|history)\//.test(file));
  return { name: "stack and locks gone", broken: kept.map((file) => `${file} is in the backend`) };
}

/** No process of the place lives on. Gives them a while: the engine's process ends in an orderly way after its helper. */
export async function checkProcesses({ mark }: Pick<Place, "mark">, patienceMs = 45_000): Promise<Checked> {
  const until = performance.now() + patienceMs;
  let living = await processesWith(mark);
  while (living.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    living = await processesWith(mark);
  }
  const broken = living.map(({ pid, command }) => `process ${pid} lives: ${command.slice(0, 120)}`);
  return { name: "no process", broken };
}

type Seen = Pick<Write, "holder" | "status" | "method" | "path" | "name" | "agent">;

const isLease = ({ path }: Seen): boolean => path.includes("/coordination.k8s.io/");

/** What a write is about: its object, or what that lies in. */
const about = ({ path, name }: Seen, run: string): boolean =>
  path.includes(run) || name?.includes(run) === true;

/**
 * Whoever was succeeded writes nothing more. In what the API server accepted of one run, a holder that has ever had the Lease writes
 * only while the last write to the Lease is its own; one without a Lease (`mayfly destroy`) writes in one block.
 * @param writes In order of their coming.
 */
export function checkUpdaters(writes: readonly Seen[], runs: readonly Pick<LedgerRun, "run">[]): Checked {
  const accepted = writes.filter(({ status = 0 }) => status >= 200 && status <= 299);
  const broken = runs.flatMap(({ run }) => updaters(accepted.filter((write) => about(write, run))));
  return { name: "one updater", broken };
}

function updaters(writes: readonly Seen[]): string[] {
  const leaseholders = new Set(writes.filter(isLease).map(({ holder }) => holder));
  const broken: string[] = [];
  const done = new Set<string>();
  let leaseholder = "nobody";
  let current: string | undefined;
  for (const write of writes) {
    const { holder, method, path, agent } = write;
    if (isLease(write)) {
      leaseholder = holder;
    } else if (leaseholders.has(holder)) {
      if (leaseholder !== holder)
        broken.push(`${holder} wrote while ${leaseholder} had the lease: ${method} ${path} (${agent})`);
    } else {
      if (done.has(holder))
        broken.push(`${holder} wrote after ${current ?? "nobody"} had begun: ${method} ${path} (${agent})`);
      if (current !== undefined && current !== holder) done.add(current);
      current = holder;
    }
  }
  return broken;
}

/** No secret's bytes, plain or as base64, in what commands printed, in any file of state or ledger, or in the logs in S3. */
export async function checkSecrets(
  place: Place,
  output: string,
  runs: readonly LedgerRun[],
): Promise<Checked> {
  const broken: string[] = [];
  const needles = [...place.secrets].flatMap(([name, text]) => [
    { name, bytes: Buffer.from(text) },
    {
      name: `${name} in base64`,
      bytes: Buffer.from(Buffer.from(text).toString("base64").replace(/=+$/, "")),
    },
  ]);
  const search = (where: string, content: Buffer): void => {
    for (const { name, bytes } of needles) if (content.includes(bytes)) broken.push(`${name} is in ${where}`);
  };
  search("the output of a command", Buffer.from(output));
  for (const file of await filesOf(place.state))
    search(file, await readFile(file).catch(() => Buffer.alloc(0)));
  for (const row of runs) search(`the ledger's run ${row.run}`, Buffer.from(JSON.stringify(row)));
  const store = await labStore();
  for (const { run, tenant, job } of runs) {
    for (const key of await store.list("mayfly-logs", `runs/${tenant}/${job}/${run}/`))
      search(`s3://mayfly-logs/${key}`, await store.bytes("mayfly-logs", key));
  }
  return { name: "no secrets", broken };
}

// What has to hold after each row, whatever was done to the stream.
import { type CountedFile, checkCounts, Offence } from "../../examples/flink-stream/counts.ts";
import { readCounted } from "../../examples/flink-stream/output.ts";
import type { LedgerRun, Savepoint } from "../../jobs/ledger/index.ts";
import type { Cluster } from "../../jobs/watch/index.ts";
import { labStore } from "../../lab/store.ts";
import {
  type Checked,
  checkBackend,
  checkProcesses,
  checkSecrets,
  checkUpdaters,
  isTerminal,
  leftOf,
  namespacesOf,
} from "../faults/invariants.ts";
import type { FlinkPlace } from "./place.ts";
import { BUCKET, outputUrl, stateKey } from "./spec.ts";

export interface Facts {
  readonly cluster: Cluster;
  readonly place: FlinkPlace;
  /** All of the place's, in order of their coming. */
  readonly runs: readonly LedgerRun[];
  /** Those that had ended before the row: looked at then. */
  readonly before: ReadonlySet<string>;
  readonly savepoints: readonly Savepoint[];
  /** What commands printed. */
  readonly said: string;
}

/** All of them, in the table's order. */
export async function checkAll(facts: Facts): Promise<Checked[]> {
  const { cluster, place, runs, before, savepoints, said } = facts;
  const ended = runs.filter(isTerminal);
  const fresh = ended.filter(({ run }) => !before.has(run));
  const live = runs.filter((run) => !isTerminal(run));
  const store = await labStore();
  const keys = await store.list(BUCKET, stateKey(place.name));
  return [
    checkOneLive(runs),
    await checkGone(cluster, place, fresh, live),
    checkLeft(fresh),
    checkSavepoints(runs, savepoints, keys),
    checkNoCheckpoints(ended, keys),
    await checkExact(place.name, runs),
    await checkProcesses(place),
    checkUpdaters(place.proxy.writes, runs),
    await checkSecrets(place, said, fresh),
  ];
}

type Life = Pick<LedgerRun, "run" | "job" | "state" | "startedAt" | "endedAt">;

/** Of each stream never two at once: a run starts after the one before it has ended. */
export function checkOneLive(runs: readonly Life[]): Checked {
  const broken = [...Map.groupBy(runs, ({ job }) => job).values()].flatMap((of) => [
    ...liveAtOnce(of),
    ...overlaps(of),
  ]);
  return { name: "one live run", broken };
}

function liveAtOnce(runs: readonly Life[]): string[] {
  const live = runs.filter((run) => !isTerminal(run)).map(({ run }) => run);
  return live.length > 1 ? [`live at once: ${live.join(", ")}`] : [];
}

function overlaps(runs: readonly Life[]): string[] {
  const lives = runs
    .flatMap(({ run, startedAt, endedAt }) => (startedAt === undefined ? [] : [{ run, startedAt, endedAt }]))
    .toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  return lives.flatMap(({ run, startedAt }, at) => {
    const earlier = lives[at - 1];
    if (earlier === undefined || (earlier.endedAt !== undefined && earlier.endedAt <= startedAt)) return [];
    return [`${run} started at ${startedAt}, before ${earlier.run} had ended`];
  });
}

/** Ended runs left no object of any kind, Leases and config maps among them, and no stack; the live run's namespace is the job's only one. */
async function checkGone(
  cluster: Cluster,
  place: FlinkPlace,
  ended: readonly LedgerRun[],
  live: readonly LedgerRun[],
): Promise<Checked> {
  const namespaces = new Set(live.map(({ run, namespace }) => namespace ?? run));
  const others = (await namespacesOf(cluster, place.name)).filter((name) => !namespaces.has(name));
  const { broken } = await checkBackend(place);
  return {
    name: "nothing left",
    broken: [
      ...(await leftOf(cluster, ended)),
      ...others.map((name) => `namespace ${name} is there, and is of no live run`),
      ...broken.filter((line) => !live.some(({ run }) => line.includes(run))),
    ],
  };
}

/** The ledger says of no run that something is left. */
export const checkLeft = (runs: readonly Pick<LedgerRun, "run" | "left">[]): Checked => ({
  name: "ended",
  broken: runs.filter(({ left }) => left.length > 0).map(({ run, left }) => `${run} left ${left.join(", ")}`),
});

/** Each suspended run's savepoint is in the ledger, and complete in S3. */
export function checkSavepoints(
  runs: readonly Pick<LedgerRun, "run" | "outcome">[],
  savepoints: readonly Pick<Savepoint, "location" | "run" | "deletedAt">[],
  keys: readonly string[],
): Checked {
  const there = new Set(keys);
  const broken = runs.flatMap(({ run, outcome }) => {
    if (outcome?.kind !== "suspended") return [];
    const known = savepoints.find(({ location }) => location === outcome.savepoint);
    if (known === undefined) return [`the ledger has no savepoint ${outcome.savepoint} of ${run}`];
    if (known.deletedAt !== undefined || there.has(metadataOf(known.location))) return [];
    return [`${known.location} of ${run} is not in S3`];
  });
  return { name: "savepoints", broken };
}

const metadataOf = (location: string): string =>
  `${location.replace(`s3://${BUCKET}/`, "").replace(/\/+$/, "")}/_metadata`;

/**
 * Of runs that were suspended, or cancelled with their state, nothing is left in S3 but savepoints. A last-state suspend's checkpoint stays
 * until something newer is there.
 */
export function checkNoCheckpoints(
  ended: readonly Pick<LedgerRun, "run" | "outcome">[],
  keys: readonly string[],
): Checked {
  const broken = ended.flatMap(({ run, outcome }) => {
    if (outcome?.kind !== "suspended" && outcome?.kind !== "cancelled") return [];
    if (outcome.kind === "suspended" && isCheckpoint(outcome.savepoint)) return [];
    const left = keys.filter((key) => key.includes(`/${run}/`) && !key.includes("/savepoints/"));
    return left.length === 0
      ? []
      : [`${left.length} objects of ${run}'s checkpoints, such as ${left[0] ?? ""}`];
  });
  return { name: "no checkpoints", broken };
}

/**
 * What is left of a stream that is gone, and should not be. Savepoints stay, as does the checkpoint by which a run was suspended, for that is in
 * the ledger like one; and what failed runs leave is kept on purpose.
 */
export function leftovers(
  keys: readonly string[],
  runs: readonly Pick<LedgerRun, "run" | "outcome">[],
): string[] {
  const keeps = runs.filter(
    ({ outcome }) =>
      outcome?.kind !== "cancelled" && !(outcome?.kind === "suspended" && !isCheckpoint(outcome.savepoint)),
  );
  return keys.filter(
    (key) => !key.includes("/savepoints/") && !keeps.some(({ run }) => key.includes(`/${run}/`)),
  );
}

/** Numbers that a task may have committed before another one did; the source gives `RATE` a second, a checkpoint comes every 4 s. */
const AHEAD = 1000;

/**
 * What the stream has committed so far is exact, by the checker of its example: no number twice, no count left out. Of a stream that does not
 * run none is missing either.
 */
export async function checkExact(
  name: string,
  runs: readonly Pick<LedgerRun, "state" | "outcome">[],
): Promise<Checked> {
  const files = await readCounted(outputUrl(name));
  return { name: "exact counts", broken: files.length === 0 ? [] : offences(files, latestIsSuspended(runs)) };
}

/** @param all Whether no number may be missing, as after a suspend. */
export function offences(files: readonly CountedFile[], all: boolean): string[] {
  try {
    const { lines, whole } = checkCounts(files);
    return lines - whole > (all ? 0 : AHEAD)
      ? [`${lines} numbers are there, and of the first ${lines} number ${whole} is missing`]
      : [];
  } catch (error) {
    if (error instanceof Offence) return [error.message];
    throw error;
  }
}

/** @param runs In order of their coming. A checkpoint's last files may be committed only by whoever goes on from it. */
function latestIsSuspended(runs: readonly Pick<LedgerRun, "outcome">[]): boolean {
  const outcome = runs.at(-1)?.outcome;
  return outcome?.kind === "suspended" && !isCheckpoint(outcome.savepoint);
}

const isCheckpoint = (location: string): boolean => location.includes("/chk-");

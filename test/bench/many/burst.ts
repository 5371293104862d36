// Thirty jobs at once, and jobs that are cancelled while their clusters are made.
import { setTimeout as sleep } from "node:timers/promises";
import { openRunLedger } from "../../../jobs/run/ledger.ts";
import { submitJob } from "../../../jobs/work/index.ts";
import type { BenchPlace } from "./place.ts";
import { type SeenPod, watchPods } from "./pods.ts";
import { failuresOf } from "./throughput.ts";
import type { BenchWorker } from "./worker.ts";

export interface Burst {
  readonly runs: number;
  /** Seconds from the first submission: until all are submitted, a first pod exists, runs, the last run's first pod exists, all is gone. */
  readonly submitted: number;
  readonly firstPod: number;
  readonly firstStarted: number;
  readonly lastPod: number;
  readonly gone: number;
  readonly failures: readonly string[];
}

export async function burst(place: BenchPlace, worker: BenchWorker, runs: number): Promise<Burst> {
  const watch = watchPods(place.jobName);
  // The watch has to be there first.
  await sleep(1500);
  const before = new Set(watch.pods());
  const began = Date.now();
  const since = (time: number): number => (time - began) / 1000;
  const ids = await Promise.all(
    Array.from(
      { length: runs },
      async () => (await submitJob(place.job, { connection: place.connection })).run,
    ),
  );
  const submitted = since(Date.now());
  while (!ids.every((run) => worker.over.has(run))) await worker.news();
  const gone = since(Date.now());
  watch.stop();
  const pods = watch.pods().filter((pod) => !before.has(pod));
  const firsts = new Map<string, number>();
  for (const { namespace, appeared } of pods)
    firsts.set(namespace, Math.min(appeared, firsts.get(namespace) ?? Number.POSITIVE_INFINITY));
  return {
    runs,
    submitted,
    firstPod: since(Math.min(...firsts.values())),
    firstStarted: since(Math.min(...pods.map(({ started }) => started ?? Number.POSITIVE_INFINITY))),
    lastPod: since(Math.max(...firsts.values())),
    gone,
    failures: failuresOf(ids, worker.told()),
  };
}

export interface Cancelled {
  readonly runs: number;
  /** Runs that were still being created when the wish was taken. */
  readonly whileCreating: number;
  /** Pods that appeared, and that began to run, later than this after the wish was in the ledger; and after the run had ended. */
  readonly podsAppearedAfter: number;
  readonly podsStartedAfter: number;
  readonly podsAfterEnd: number;
  /** How long after the wish the last pod appeared, in seconds; 0 for none. */
  readonly latestPod: number;
  /** Seconds from wish to end: the slowest. */
  readonly slowest: number;
  readonly notCancelled: readonly string[];
}

/** Cancels each run some time, 0 to 2 s, after its creation began. */
export async function cancelWhileCreating(
  place: BenchPlace,
  worker: BenchWorker,
  runs: number,
): Promise<Cancelled> {
  const watch = watchPods(place.jobName);
  await sleep(1500);
  const ledger = await openRunLedger();
  const wishes = new Map<string, number>();
  const ends = new Map<string, number>();
  let whileCreating = 0;
  try {
    const ids: string[] = [];
    for (let index = 0; index < runs; index++)
      ids.push((await submitJob(place.job, { connection: place.connection })).run);
    await Promise.all(
      ids.map(async (run, index) => {
        while (worker.phases.get(run)?.has("creating") !== true) await worker.news();
        await sleep((2000 * index) / runs);
        const { state } = await ledger.requestCancel(run);
        if (state === "creating") whileCreating++;
        wishes.set(run, Date.now());
        while (!worker.over.has(run)) await worker.news();
        ends.set(run, Date.now());
      }),
    );
    // What comes now comes late.
    await sleep(5000);
    const pods = watch.pods();
    const after = (pod: SeenPod, time: number | undefined, since: ReadonlyMap<string, number>): boolean => {
      const run = ids.find((id) => pod.namespace.endsWith(id));
      return run !== undefined && time !== undefined && time > (since.get(run) ?? Number.POSITIVE_INFINITY);
    };
    const late = pods.map((pod) => {
      const run = ids.find((id) => pod.namespace.endsWith(id)) ?? "";
      return (pod.appeared - (wishes.get(run) ?? Number.POSITIVE_INFINITY)) / 1000;
    });
    const rows = await Promise.all(ids.map(async (run) => await ledger.get(run)));
    return {
      runs,
      whileCreating,
      podsAppearedAfter: pods.filter((pod) => after(pod, pod.appeared, wishes)).length,
      podsStartedAfter: pods.filter((pod) => after(pod, pod.started, wishes)).length,
      podsAfterEnd: pods.filter((pod) => after(pod, pod.appeared, ends)).length,
      latestPod: Math.max(0, ...late),
      slowest: Math.max(
        ...ids.map((run) => ((ends.get(run) ?? Number.NaN) - (wishes.get(run) ?? Number.NaN)) / 1000),
      ),
      notCancelled: rows
        .filter(({ state }) => state !== "cancelled")
        .map(({ run, state }) => `${run}: ${state}`),
    };
  } finally {
    watch.stop();
    await ledger.close();
  }
}

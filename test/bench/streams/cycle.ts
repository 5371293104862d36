// Resume, kill and suspend of one stream, each with its time and whose that is.

import { labStore } from "../../../lab/store.ts";
import { isTerminal } from "../../faults/invariants.ts";
import { isJobManager, KILL_JAVA, podsOf } from "../../flink/pods.ts";
import { kubectl } from "../../lab/pods.ts";
import { milestones, namespaceGoing, uidsOf } from "./milestones.ts";
import type { StreamsPlace } from "./place.ts";

/** In seconds; the last three are `total`. */
export interface Shares {
  readonly total: number;
  readonly mayfly: number;
  readonly kubernetes: number;
  readonly flink: number;
}
export type Resumed = Shares;
export type Killed = Shares;
export type Suspended = Shares;

/** From the command's start to the first record that is counted. */
export async function resumed(place: StreamsPlace, name: string): Promise<Resumed> {
  const since = performance.now();
  const command = place.must("resume", name);
  const [counted] = await Promise.all([milestones(place.cluster, name, new Set()), command]);
  return sharesOf(since, counted);
}

/** From a kill -9 of the JobManager's Java, with a worker that looks after the stream, to the next attempt's first record. */
export async function killed(place: StreamsPlace, name: string): Promise<Killed> {
  const worker = place.worker();
  try {
    const live = (await place.runs()).find((run) => !isTerminal(run));
    if (live === undefined) throw new Error(`${name} has no live run`);
    const namespace = live.namespace ?? live.run;
    // Until the worker has it, nobody would see the kill.
    await heldBySomebody(place, live.run);
    const manager = (await podsOf(namespace)).find(isJobManager);
    if (manager === undefined) throw new Error(`${name} has no JobManager`);
    const before = await uidsOf(place.cluster, name);
    const since = performance.now();
    await kubectl(["exec", "--namespace", namespace, manager.name, "--", "sh", "-c", KILL_JAVA]);
    const counted = await milestones(place.cluster, name, before);
    await running(place, live.run, live.attempt);
    return sharesOf(since, counted);
  } finally {
    await worker.stop();
  }
}

/** From the command's start to its end, which is when nothing is there any more. */
export async function suspended(place: StreamsPlace, name: string): Promise<Suspended> {
  const live = (await place.runs()).find((run) => !isTerminal(run));
  if (live === undefined) throw new Error(`${name} has no live run`);
  const command = place.must("suspend", name);
  const [{ seconds: total }, kubernetes] = await Promise.all([
    command,
    namespaceGoing(place.cluster, name, command),
  ]);
  const flink = await savepointSeconds(live.tenant, live.job, live.run);
  return { total, mayfly: total - kubernetes - flink, kubernetes, flink };
}

const sharesOf = (
  since: number,
  { podExists, started, firstRecord }: { podExists: number; started: number; firstRecord: number },
): Shares => ({
  total: (firstRecord - since) / 1000,
  mayfly: (podExists - since) / 1000,
  kubernetes: (started - podExists) / 1000,
  flink: (firstRecord - started) / 1000,
});

async function wait(what: string, look: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`${what}: not within two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

async function heldBySomebody(place: StreamsPlace, run: string): Promise<void> {
  await wait("a worker takes the stream", async () => {
    const row = (await place.runs()).find((one) => one.run === run);
    return row?.holder !== undefined;
  });
}

async function running(place: StreamsPlace, run: string, after: number): Promise<void> {
  await wait("the next attempt runs", async () => {
    const row = (await place.runs()).find((one) => one.run === run);
    return row !== undefined && row.attempt > after && row.phase === "running";
  });
}

/** What the JobManager's log says of the last savepoint; NaN where it was not kept. */
async function savepointSeconds(tenant: string, job: string, run: string): Promise<number> {
  const store = await labStore();
  const keys = await store.list("mayfly-logs", `runs/${tenant}/${job}/${run}/`);
  const logs = keys.filter((key) => key.includes("/coordinator"));
  const texts = await Promise.all(
    logs.map(async (key) => (await store.bytes("mayfly-logs", key)).toString("utf8")),
  );
  return completedSeconds(texts.join("\n"));
}

/** Of the last `Completed checkpoint` in a JobManager's log: the time from its trigger to its end. */
export function completedSeconds(log: string): number {
  const last = [
    ...log.matchAll(/Completed checkpoint .+ checkpointDuration=(\d+) ms, finalizationTime=(\d+) ms/g),
  ].at(-1);
  return last === undefined ? Number.NaN : (Number(last[1]) + Number(last[2])) / 1000;
}

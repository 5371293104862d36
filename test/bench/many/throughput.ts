// Many runs from a queue, each whole: rate, times, memory, CPU and requests for each; then the same manifests by kubectl.
import { planJob } from "../../../jobs/run/index.ts";
import { openRunLedger } from "../../../jobs/run/ledger.ts";
import { submitJob } from "../../../jobs/work/index.ts";
import type { Plan } from "../../../schema/plan.ts";
import { type Cycle, kubectlCycle, manifests } from "../kubectl.ts";
import { type MemorySample, type Reading, readAll, type Spent, spentBetween, watchMemory } from "./meter.ts";
import type { BenchPlace } from "./place.ts";
import type { BenchWorker, Told } from "./worker.ts";

export interface Throughput {
  readonly runs: number;
  readonly queued: number;
  /** From the first submission to the last run's end. */
  readonly seconds: number;
  readonly perMinute: number;
  readonly told: readonly Told[];
  /** Runs that did not succeed, or left something. */
  readonly failures: readonly string[];
  readonly spent: Spent;
  /** Milliseconds that a submission takes, in a process that has loaded all. */
  readonly submitMs: number;
  readonly memory: readonly MemorySample[];
}

/** Submits `queued` runs at once, lets `runs` of them run, and cancels the rest while it waits in the queue. */
export async function throughput(
  place: BenchPlace,
  worker: BenchWorker,
  { runs, queued }: { readonly runs: number; readonly queued: number },
  idle: Spent,
): Promise<Throughput> {
  const before = await readAll(place.groups, worker.pid);
  const memory = watchMemory(place.groups, worker.pid);
  const began = performance.now();
  const { ran, submitMs } = await runMany(place, worker, { runs, queued }).finally(memory.stop);
  const seconds = (performance.now() - began) / 1000;
  const after = await readAll(place.groups, worker.pid);
  const told = worker.told().filter(({ run }) => ran.includes(run));
  return {
    runs: ran.length,
    queued,
    seconds,
    perMinute: (ran.length / seconds) * 60,
    told,
    failures: failuresOf(ran, told),
    spent: spentBetween(before, after, idle),
    submitMs,
    memory: memory.samples,
  };
}

async function runMany(
  place: BenchPlace,
  worker: BenchWorker,
  { runs, queued }: { readonly runs: number; readonly queued: number },
): Promise<{ readonly ran: readonly string[]; readonly submitMs: number }> {
  const began = performance.now();
  const submitted: string[] = [];
  for (let index = 0; index < queued; index++)
    submitted.push((await submitJob(place.job, { connection: place.connection })).run);
  const submitMs = (performance.now() - began) / queued;
  const taken = (): string[] => submitted.filter((run) => worker.claimed.has(run));
  while (taken().length < Math.min(runs, queued)) await worker.news();
  await cancelQueued(submitted);
  while (!taken().every((run) => worker.over.has(run))) await worker.news();
  return { ran: taken(), submitMs };
}

/** Why runs that were taken are not simply succeeded. */
export function failuresOf(ran: readonly string[], told: readonly Told[]): string[] {
  const found = new Map(told.map((one) => [one.run, one]));
  return ran.flatMap((run) => {
    const one = found.get(run);
    if (one === undefined) return [`${run}: no report`];
    if (one.outcome !== "succeeded") return [`${run}: ${one.outcome}`];
    return one.left.length > 0 ? [`${run}: left ${one.left.join(", ")}`] : [];
  });
}

/** Cancels those that still wait in the queue. */
async function cancelQueued(runs: readonly string[]): Promise<void> {
  const ledger = await openRunLedger();
  try {
    const ours = new Set(runs);
    for (const { run } of await ledger.list({ states: ["queued"] }))
      if (ours.has(run)) await ledger.requestCancel(run).catch(() => undefined);
  } finally {
    await ledger.close();
  }
}

export interface KubectlLoop {
  readonly runs: number;
  readonly seconds: number;
  readonly perMinute: number;
  readonly cycles: readonly Cycle[];
  readonly spent: Spent;
}

/** As many at a time as the worker has slots: apply, wait for the driver's end, delete, wait until it is gone. */
export async function kubectlLoop(
  place: BenchPlace,
  { runs, slots }: { readonly runs: number; readonly slots: number },
  idle: Spent,
): Promise<KubectlLoop> {
  const plans = await Promise.all(
    Array.from(
      { length: runs },
      async () => (await planJob(place.job, { connection: place.connection })).plan,
    ),
  );
  const inputs: { readonly plan: Plan; readonly input: string }[] = [];
  for (const plan of plans) inputs.push({ plan, input: await manifests(plan) });
  const before: Reading = await readAll(place.groups, undefined);
  const began = performance.now();
  const cycles: Cycle[] = [];
  const lane = async (): Promise<void> => {
    for (let next = inputs.pop(); next !== undefined; next = inputs.pop())
      cycles.push(await kubectlCycle(next.plan, next.input, [place.kubectlPath]));
  };
  await Promise.all(Array.from({ length: slots }, lane));
  const seconds = (performance.now() - began) / 1000;
  const spent = spentBetween(before, await readAll(place.groups, undefined), idle);
  return { runs, seconds, perMinute: (runs / seconds) * 60, cycles, spent };
}

// `npm run bench -- many`: many runs through a real ledger and a real worker, beside kubectl, on the lab.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../../base/errors.ts";
import { step } from "../../../base/progress.ts";
import { openRunLedger } from "../../../jobs/run/ledger.ts";
import { roomFor } from "../../faults/room.ts";
import { importStandIn } from "../../harness/stand-in.ts";
import { type Burst, burst, cancelWhileCreating } from "./burst.ts";
import { readAll, type Spent, spentBetween } from "./meter.ts";
import { type BenchPlace, makeBenchPlace } from "./place.ts";
import { type ManyResult, printMany } from "./print.ts";
import { type KubectlLoop, kubectlLoop, type Throughput, throughput } from "./throughput.ts";
import { type BenchWorker, startBenchWorker } from "./worker.ts";

export const PARTS = ["runs", "kubectl", "burst", "cancel"] as const;
export type Part = (typeof PARTS)[number];

export interface BenchManyOptions {
  readonly runs: number;
  /** Runs at a time, and lanes of kubectl. */
  readonly slots: number;
  /** How often `runs` and `kubectl` are measured, in turn. */
  readonly rounds: number;
  readonly parts: readonly Part[];
  readonly json: boolean;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const IDLE_MS = 5000;
const QUEUED = 200;
const BURST = 30;
const CANCELLED = 10;

export async function benchMany(options: BenchManyOptions): Promise<void> {
  const place = await makeBenchPlace();
  // The submissions are this process's own: it uses the bench's ledger, never the user's.
  Object.assign(process.env, { MAYFLY_LEDGER: place.env["MAYFLY_LEDGER"] });
  try {
    await step("images for the pods", importStandIn);
    // Pods go long before their runs are over: more slots than fit do no harm, a node that others have filled does.
    const { note } = await roomFor(options.slots, 0);
    if (note !== undefined)
      console.error(`note: pods of fewer runs than slots fit on the lab's node: ${note}`);
    const result = await measure(place, options);
    if (options.json) console.log(JSON.stringify(result));
    else printMany(result);
  } finally {
    await place.remove();
  }
}

async function measure(place: BenchPlace, options: BenchManyOptions): Promise<ManyResult> {
  const { slots } = options;
  const idle = await step("what the cluster spends anyway", () => idleSpent(place));
  const worker = startBenchWorker(place, slots);
  const interrupted = Promise.withResolvers<never>();
  const interrupt = (): void => {
    interrupted.reject(new UserError("bench-interrupted", "The bench was interrupted.", { exitCode: 130 }));
  };
  for (const name of SIGNALS) process.once(name, interrupt);
  try {
    return await Promise.race([interrupted.promise, parts(place, worker, options, idle)]);
  } catch (error) {
    await cancelAll(worker);
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
    await worker.stop();
  }
}

async function parts(
  place: BenchPlace,
  worker: BenchWorker,
  { runs, slots, rounds, parts: wanted }: BenchManyOptions,
  idle: Spent,
): Promise<ManyResult> {
  const wants = (part: Part): boolean => wanted.includes(part);
  // Also so that the worker has started, and all has been loaded once.
  await step(`warm-up: ${slots} runs`, () => throughput(place, worker, { runs: slots, queued: slots }, idle));
  const burstOf = async (): Promise<Burst> => await burst(place, worker, BURST);
  const burstResult = wants("burst") ? await step(`a burst of ${BURST}`, burstOf) : undefined;
  const cancel = wants("cancel")
    ? await step(`${CANCELLED} runs cancelled while created`, () =>
        cancelWhileCreating(place, worker, CANCELLED),
      )
    : undefined;
  const ours: Throughput[] = [];
  const theirs: KubectlLoop[] = [];
  for (let round = 1; round <= rounds; round++) {
    const queued = Math.max(runs, QUEUED);
    if (wants("runs"))
      ours.push(
        await step(`round ${round} of ${rounds}: ${runs} runs of ${queued} queued, ${slots} at a time`, () =>
          throughput(place, worker, { runs, queued }, idle),
        ),
      );
    const loops = Math.max(slots, Math.ceil(runs / 4));
    if (wants("kubectl"))
      theirs.push(
        await step(`round ${round} of ${rounds}: kubectl, ${loops} times, ${slots} at a time`, () =>
          kubectlLoop(place, { runs: loops, slots }, idle),
        ),
      );
  }
  return { slots, plugin: place.plugin, idle, runs: ours, kubectl: theirs, burst: burstResult, cancel };
}

async function idleSpent(place: BenchPlace): Promise<Spent> {
  const before = await readAll(place.groups, undefined);
  await sleep(IDLE_MS);
  return spentBetween(before, await readAll(place.groups, undefined));
}

/** So that nothing of a bench that failed goes on in the lab. */
async function cancelAll(worker: BenchWorker): Promise<void> {
  const ledger = await openRunLedger();
  try {
    for (const { run, endedAt } of await ledger.list())
      if (endedAt === undefined) await ledger.requestCancel(run).catch(() => undefined);
    const until = Date.now() + 120_000;
    while (Date.now() < until && [...worker.claimed.keys()].some((run) => !worker.over.has(run)))
      await Promise.race([worker.news(), sleep(1000)]);
  } catch {
    // The error that led here says more.
  } finally {
    await ledger.close();
  }
}

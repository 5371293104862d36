// What the driver does with a live stream, by Flink's REST. Each stops when its hand's signal aborts.
import { anySignal } from "../../base/abort.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import {
  addSample,
  type FlinkRest,
  finishedSavepoint,
  rescaleJob,
  type SavepointOptions,
  type SavepointResult,
  type StreamSample,
  stopWithSavepoint,
  takeSavepoint,
  watchStream,
} from "../flink/index.ts";
import { savepointFormat } from "../flink/savepoint.ts";
import type { Savepoint, Wish } from "../ledger/index.ts";
import { type RescaledPlan, refusalError, rescaledPlan } from "../plan/index.ts";
import { noteEngineEvent } from "../run/engine-events.ts";
import { blameWorkers } from "../watch/flink-rules.ts";
import type { ObservedRun } from "../watch/index.ts";
import type { Hand } from "./hands.ts";
import { type Watched, watchPods } from "./pods.ts";
import { StreamTeller } from "./stream-report.ts";
import { remember } from "./stream-state.ts";

/** A savepoint of large state takes minutes; the machine's own deadline for a suspend comes after this. */
const SAVEPOINT_MS = 10 * 60_000;
/** Until tasks run with another parallelism; a pod that is new has to start first. */
const RESCALE_MS = 5 * 60_000;

async function withRest<T>(hand: Hand, plan: FlinkPlan, work: (rest: FlinkRest) => Promise<T>): Promise<T> {
  const rest = await hand.tools.cluster.flink(plan);
  try {
    return await work(rest);
  } finally {
    rest.close();
  }
}

/**
 * Watches pods and job until one of them tells how the attempt ends. `onHealthy`: all tasks run.
 * @param fresh Whether the cluster is new: then it has to become healthy within the start's deadline.
 */
export async function watchJob(
  hand: Hand,
  plan: FlinkPlan,
  fresh: boolean,
  onHealthy: () => void,
): Promise<Watched> {
  const stop = new AbortController();
  const signal = anySignal([hand.signal, stop.signal]);
  const inside = { ...hand, signal };
  const verdict = Promise.withResolvers<Outcome | undefined>();
  let samples: readonly StreamSample[] | undefined;
  let late: NodeJS.Timeout | undefined;
  let healthy = false;
  const teller = new StreamTeller(plan, hand.spec, hand.journal);
  const pods = watchPods(inside, fresh, () => {
    // A later sign of a start does not count.
    if (fresh && !healthy)
      late ??= setTimeout(() => {
        verdict.resolve(neverHealthy(plan));
      }, plan.deadlines.start * 1000);
  });
  const job = withRest(
    inside,
    plan,
    async (rest) =>
      await watchStream(rest, {
        signal,
        clock: hand.clock,
        onHealthy: () => {
          healthy = true;
          clearTimeout(late);
          onHealthy();
        },
        onSample: (sample) => {
          samples = addSample(samples, sample);
          teller.sampled(samples);
        },
        onWarning: hand.journal.warn,
      }),
  );
  job.then(verdict.resolve, verdict.reject);
  try {
    const first = await Promise.race([pods.then(({ outcome }) => outcome), verdict.promise]);
    stop.abort();
    const seen = await pods;
    const outcome = first === undefined ? seen.outcome : await truly(hand, plan, first, seen.observed);
    return {
      outcome,
      observed:
        seen.observed === undefined
          ? undefined
          : { ...seen.observed, ...(samples === undefined ? {} : { stream: samples }) },
    };
  } finally {
    clearTimeout(late);
    stop.abort();
    await Promise.allSettled([pods, job]);
    teller.ends();
  }
}

const neverHealthy = ({ deadlines: { start } }: FlinkPlan): Outcome => ({
  kind: "deadline",
  phase: "start",
  limitSeconds: start,
  message: `The stream did not become healthy within ${start} s: not all of its tasks ran.`,
});

/** A job that has FINISHED after a suspend whose end nobody saw was suspended: its state must not be forgotten. */
async function truly(
  hand: Hand,
  plan: FlinkPlan,
  outcome: Outcome,
  seen: ObservedRun | undefined,
): Promise<Outcome> {
  // What its REST calls a failure may be that of lost pods.
  if (outcome.kind !== "succeeded") return seen === undefined ? outcome : blameWorkers(seen, plan, outcome);
  const { ledger } = hand.tools;
  const { events } = await ledger.events(plan.run);
  const unseen = events.some(({ event }) => event.type === "answer" && event.kind === "suspend" && !event.ok);
  const location = unseen ? await unknownSavepoint(hand, plan, new Date(0)) : undefined;
  if (location === undefined) return outcome;
  await noteState(hand, plan, location, "suspend");
  const message = `The stream was suspended, later than it was waited for; its state is ${location}.`;
  return { kind: "suspended", savepoint: location, message };
}

async function unknownSavepoint({ tools }: Hand, plan: FlinkPlan, since: Date): Promise<string | undefined> {
  const known = await tools.ledger.savepoints({ run: plan.run, deleted: true });
  return await finishedSavepoint(tools.store, plan, { since, known: known.map(({ location }) => location) });
}

/** Writes a savepoint down, and tells of it. */
async function noteState(
  { tools, journal, signal, lease }: Hand,
  plan: FlinkPlan,
  location: string,
  reason: Savepoint["reason"],
  kind: Savepoint["kind"] = "savepoint",
): Promise<void> {
  await lease.guard();
  const { run, tenant, job, environment, attempt } = plan;
  await remember(
    tools.ledger,
    {
      ...{ location, run, tenant, job, environment, attempt },
      kind,
      reason,
      flinkVersion: plan.version,
      format: savepointFormat(plan) === "NATIVE" ? "native" : "canonical",
      at: journal.now().toISOString(),
    },
    signal,
  );
  journal.emit({ type: "savepoint", location, reason });
}

/** @throws Error where there is none, with what Flink says */
async function obtain(
  hand: Hand,
  plan: FlinkPlan,
  { id, at }: Pick<Wish, "id" | "at">,
  ask: (rest: FlinkRest, plan: FlinkPlan, options: SavepointOptions) => Promise<SavepointResult>,
): Promise<string> {
  const since = new Date(at);
  const result = await withRest(hand, plan, async (rest) => {
    await hand.lease.guard();
    return await ask(rest, plan, {
      trigger: id,
      timeoutMs: SAVEPOINT_MS,
      signal: hand.signal,
      finished: async () => await unknownSavepoint(hand, plan, since),
      onWarning: hand.journal.warn,
    });
  });
  if (result.kind === "taken") return result.location;
  throw new Error(result.message);
}

/** A wish to suspend, or what is left of it. */
export type SuspendWish = Pick<Wish, "id" | "at"> & { readonly lastState?: string | undefined };

/**
 * Stops the stream with a savepoint, which is in the ledger when this settles; or notes the checkpoint that takes its place.
 * @returns its location @throws Error where it goes on
 */
export async function suspend(hand: Hand, plan: FlinkPlan, wish: SuspendWish): Promise<string> {
  if (wish.lastState !== undefined) {
    await noteState(hand, plan, wish.lastState, "suspend", "checkpoint");
    return wish.lastState;
  }
  const location = await obtain(hand, plan, wish, stopWithSavepoint);
  await noteState(hand, plan, location, "suspend");
  return location;
}

/** Makes a savepoint of a stream that goes on. @returns its location @throws Error */
export async function savepoint(
  hand: Hand,
  plan: FlinkPlan,
  wish: Pick<Wish, "id" | "at">,
  reason: "asked" | "periodic",
): Promise<string> {
  const location = await obtain(hand, plan, wish, takeSavepoint);
  await noteState(hand, plan, location, reason);
  return location;
}

/**
 * Gives a running stream another size: TaskManagers come before the tasks that need them, and go after.
 * @returns The plan that is true now, and its spec. @throws Error or UserError where it runs on as it did
 */
export async function rescale(
  hand: Hand,
  plan: FlinkPlan,
  spec: FlinkStreamJob,
  size: { readonly taskManagers: number; readonly parallelism: number },
): Promise<Extract<RescaledPlan, { ok: true }>> {
  const { tools } = hand;
  const rescaled = rescaledPlan(plan, spec, tools.environment.contract, size);
  if (!rescaled.ok) {
    throw refusalError(rescaled.refusal);
  }
  const grows = rescaled.plan.workers.count > plan.workers.count;
  const made = async (to: FlinkPlan): Promise<void> => {
    await hand.lease.guard();
    // It rests while a stream runs.
    tools.engine.wake();
    try {
      await tools.engine.up(to, {
        signal: hand.signal,
        fence: hand.lease.fence,
        onEvent: (event) => {
          noteEngineEvent(event, hand.journal);
        },
      });
    } finally {
      tools.engine.rest();
    }
  };
  const spread = async (parallelism: number): Promise<void> => {
    const options = { signal: hand.signal, timeoutMs: RESCALE_MS, onWarning: hand.journal.warn };
    const result = await withRest(hand, plan, async (rest) => await rescaleJob(rest, parallelism, options));
    if (result.kind !== "rescaled") throw new Error(result.message);
  };
  try {
    if (grows) await made(rescaled.plan);
    await spread(size.parallelism);
    if (!grows) await made(rescaled.plan);
  } catch (error) {
    hand.signal.throwIfAborted();
    // As it was: what nobody uses costs all the same, and what is there is what the ledger says.
    if (grows) await spread(plan.parallelism).catch(() => undefined);
    await made(plan);
    if (!grows) await spread(plan.parallelism).catch(() => undefined);
    throw error;
  }
  return rescaled;
}

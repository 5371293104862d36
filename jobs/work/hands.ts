// What the machine's effects do, by the functions that `mayfly run` is made of. Each stops when its signal aborts.
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { type EngineEvent, EngineFailure, isFencedOff, type StackEngine } from "../engine/index.ts";
import { LeaseLost } from "../lease/index.ts";
import { lastDriverLines } from "../report/build.ts";
import type { Journal } from "../run/journal.ts";
import { makeEventLogFolder, preflight } from "../run/preflight.ts";
import { type Removal, removeRun } from "../run/removal.ts";
import { outcomeOfFailedUp } from "../run/verdict.ts";
import { noteEngineEvent } from "../run/work.ts";
import type { ObservedRun } from "../watch/index.ts";
import type { DriverTools, HeldLease } from "./types.ts";

/** What one effect works with. */
export interface Hand {
  readonly plan: Plan;
  readonly tools: DriverTools;
  readonly journal: Journal;
  readonly lease: HeldLease;
  readonly signal: AbortSignal;
}

const NAMESPACE = "kubernetes:core/v1:Namespace";
/** Most jobs that run longer than this run much longer: the engine's process rests meanwhile. */
const REST_AFTER_MS = 60_000;

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
export const infrastructure = (what: string, error: unknown): Outcome => ({
  kind: "infrastructure",
  message: `${what}: ${text(error)}`,
});

/** Why an attempt could not be planned: the environment refuses it, or something was away. */
export const outcomeOfFailedPlan = (error: unknown): Outcome =>
  error instanceof UserError
    ? { kind: "unschedulable", missing: error.path ?? error.code, message: error.message }
    : infrastructure("The job could not be planned", error);

/** Checks what is there and makes the empty stack, which may be there already: of a helper that died right after. */
export async function makeStack({ plan, tools, lease }: Hand): Promise<void> {
  const { engine, cluster, store } = tools;
  await lease.guard();
  const ours: Parameters<typeof preflight>[1] = {
    check: cluster.check,
    checkFence: cluster.checkFence,
    checkSecrets: cluster.checkSecrets,
    namespaceState: async (namespace) => {
      const state = await cluster.namespaceState(namespace);
      const mine = state.kind === "ours" && state.run === plan.run && !state.terminating;
      return mine ? { kind: "absent" } : state;
    },
  };
  const [created, checked] = await Promise.allSettled([engine.create(plan), preflight(plan, ours, store)]);
  if (checked.status === "rejected") throw checked.reason;
  if (created.status === "rejected" && !isKind(created.reason, "exists")) throw created.reason;
  await makeEventLogFolder(plan, store);
}

const isKind = (error: unknown, kind: EngineFailure["error"]["kind"]): boolean =>
  error instanceof EngineFailure && error.error.kind === kind;

/** Makes the cluster's objects and delivers the job's secrets. @returns Why that failed. */
export async function bringUp({ plan, tools, journal, lease, signal }: Hand): Promise<Outcome | undefined> {
  const delivered: Promise<void>[] = [];
  const onEvent = (event: EngineEvent): void => {
    noteEngineEvent(event, journal);
    if (event.type === "summary") journal.reach("objectsExist");
    if (event.type !== "done" || event.kind !== NAMESPACE || plan.secrets.length === 0) return;
    const delivery = tools.cluster.deliverSecrets(plan, signal, lease.fence);
    delivery.catch(() => undefined);
    delivered.push(delivery);
  };
  journal.enter("creating");
  try {
    await lease.guard();
    await tools.engine.up(plan, { signal, onEvent, fence: lease.fence });
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    if (error instanceof EngineFailure && isFencedOff(error.error))
      throw new LeaseLost(plan.run, "taken", error.message, error);
    if (error instanceof EngineFailure) return outcomeOfFailedUp(error.error);
    return infrastructure("The cluster could not be made", error);
  }
  try {
    await Promise.all(delivered);
    return undefined;
  } catch (error) {
    if (error instanceof LeaseLost) throw error;
    return infrastructure("The job's secrets could not be delivered", error);
  }
}

export interface Watched {
  readonly outcome: Outcome;
  readonly observed: ObservedRun | undefined;
}

/** Watches until there is a verdict. `onDriver` is told of the driver's first sign of life. */
export async function watch(hand: Hand, onDriver: () => void): Promise<Watched> {
  const { plan, tools, journal, signal } = hand;
  const rest = setTimeout(tools.engine.rest, REST_AFTER_MS);
  try {
    const { outcome, observed } = await tools.cluster.watch(plan, {
      // Not the run's submission: it may have waited in the queue, and its own deadline is the machine's.
      startedAt: new Date(),
      signal,
      sink: {
        phase: (phase, at) => {
          journal.enter(phase, at);
          if (phase !== "running") return;
          journal.reach("driverStarted", at);
          onDriver();
        },
        pod: (pod, role, state) => {
          journal.emit({ type: "pod", pod, role, state });
        },
        warning: journal.warn,
      },
    });
    if (outcome !== undefined && outcome.kind !== "succeeded") {
      const source = `${plan.coordinator.name}/${plan.coordinator.driver.name}`;
      for (const line of lastDriverLines(observed)) journal.emit({ type: "log", source, line });
    }
    return { outcome: outcome ?? { kind: "lost", message: "The watch ended without a verdict." }, observed };
  } catch (error) {
    return { outcome: infrastructure("The run could not be watched", error), observed: undefined };
  } finally {
    clearTimeout(rest);
    tools.engine.wake();
  }
}

/** Removes all of the attempt. Whoever held the lease before is gone: a lock that it left on another machine is broken. */
export async function remove(hand: Hand, onVerifying: () => void): Promise<Removal> {
  const { plan, tools, journal, lease, signal } = hand;
  const { engine, cluster } = tools;
  await lease.guard();
  const destroy: StackEngine["destroy"] = async (stack, options = {}) => {
    const signals = AbortSignal.any([signal, ...(options.signal === undefined ? [] : [options.signal])]);
    try {
      await lease.guard();
      await engine.destroy(stack, { ...options, signal: signals });
    } catch (error) {
      if (error instanceof EngineFailure && isLockElsewhere(error.error)) await engine.unlock(stack);
      throw error;
    }
  };
  const removal = await removeRun(plan, {
    engine: { destroy, remove: engine.remove, forget: engine.forget, unlock: engine.unlock },
    cluster: {
      leftovers: async (of) => {
        const { objects, unknown } = await cluster.leftovers(of);
        // Ours, until all else is gone.
        return {
          unknown,
          objects: objects.filter(({ kind, name }) => kind !== "Lease" || name !== plan.run),
        };
      },
      removeNamespace: async (namespace) => {
        await lease.guard();
        return await cluster.removeNamespace(namespace);
      },
      waitGone: (namespace, limit) => cluster.waitGone(namespace, AbortSignal.any([signal, limit])),
    },
    onEvent: (event) => {
      noteEngineEvent(event, journal);
    },
    onVerifying,
    warn: journal.warn,
  });
  // What was cut off proves nothing.
  signal.throwIfAborted();
  return removal;
}

/** removal.ts breaks locks of dead processes of this machine itself, and waits for those that live. */
const isLockElsewhere = (error: EngineFailure["error"]): boolean =>
  error.kind === "conflict" && error.owners.some(({ host }) => host !== hostname());

/** Removes the empty stack; that it is gone already is no failure. */
export async function dropStack({ plan, tools, lease }: Hand): Promise<void> {
  await lease.guard();
  try {
    await tools.engine.remove(plan.stack);
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
  }
}

/**
 * Puts in order what a dead helper left. A cluster that was half made is removed whole, and made again afterwards: what its secret
 * was, and whether all of it is there, nobody knows.
 */
export async function recover(hand: Hand, was: string): Promise<void> {
  const { plan, tools, journal, lease } = hand;
  await lease.guard();
  await tools.raiseFence(plan, lease.fence);
  if (was !== "creating") return;
  journal.warn("The run's helper died while the cluster was made: it is removed, and made again.");
  const { left } = await remove(hand, () => undefined);
  if (left.length > 0) throw new Error(`could not be removed: ${left.join(", ")}`);
}

/** Ends early when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

// What the machine's effects do, by the functions that `mayfly run` is made of. Each stops when its signal aborts.

import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { anySignal } from "../../base/abort.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { type EngineEvent, EngineFailure, isFencedOff, type StackEngine } from "../engine/index.ts";
import { LeaseLost } from "../lease/index.ts";
import { noteEngineEvent } from "../run/engine-events.ts";
import type { Journal } from "../run/journal.ts";
import { engineUserError, makeEventLogFolder, preflight } from "../run/preflight.ts";
import { type Removal, removeRun } from "../run/removal.ts";
import { outcomeOfFailedUp } from "../run/verdict.ts";
import { infrastructure } from "./outcomes.ts";
import type { DriverTools, HeldLease } from "./types.ts";

/** What one effect works with. */
export interface Hand {
  readonly plan: Plan;
  /** Undefined for a run from the time before the ledger. */
  readonly spec: JobSpec | undefined;
  readonly tools: DriverTools;
  readonly journal: Journal;
  readonly lease: HeldLease;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970 that never go back. */
  readonly clock: () => number;
  /** When a helper first took the run up: its deadline counts from here. */
  readonly startedAt: Date;
}

const NAMESPACE = "kubernetes:core/v1:Namespace";

/** The same, but only while the lease is ours. */
const guarded =
  (lease: HeldLease, work: (stack: string) => Promise<void>): ((stack: string) => Promise<void>) =>
  async (stack) => {
    await lease.guard();
    await work(stack);
  };

/** An attempt could not begin (`cause` is why), and nothing of it is left. */
export class Refusal extends Error {
  constructor(cause: unknown) {
    super(text(cause), { cause });
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A folder and a file are made and the CLI's process is started within this. */
const CLI_START_MS = 20;

/**
 * Looks at all that is to be there, while the empty stack is made.
 * @param created The making of the stack, already under way.
 * @param fresh Whether it is the run's very first sign: a namespace of its name is somebody else's then.
 * @throws Refusal where something is wrong and the stack gone again; else what is wrong.
 */
export async function prepare(
  plan: Plan,
  {
    engine,
    cluster,
    store,
  }: Pick<DriverTools, "cluster" | "store"> & { readonly engine: Pick<StackEngine, "remove"> },
  created: Promise<void>,
  fresh: boolean,
): Promise<void> {
  const ours: Parameters<typeof preflight>[1] = {
    check: cluster.check,
    checkFence: cluster.checkFence,
    checkSecrets: cluster.checkSecrets,
    namespaceState: async (namespace) => {
      const state = await cluster.namespaceState(namespace);
      const mine = !fresh && state.kind === "ours" && state.run === plan.run && !state.terminating;
      return mine ? { kind: "absent" } : state;
    },
  };
  const check = async (): Promise<void> => {
    // Loading a library keeps this process from all else: the CLI is started first.
    await sleep(CLI_START_MS);
    await preflight(plan, ours, store);
  };
  const [made, checked] = await Promise.allSettled([created, check()]);
  if (checked.status === "rejected") {
    const refusal = new Refusal(checked.reason);
    if (made.status === "rejected") throw refusal;
    const left = await discardStack(plan, engine).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (left === undefined) throw refusal;
    throw new Error(`${refusal.message} Its empty stack ${plan.stack} could not be removed: ${text(left)}`);
  }
  if (made.status === "rejected") {
    const reason: unknown = made.reason;
    throw new Refusal(reason instanceof EngineFailure ? engineUserError(reason.error) : reason);
  }
  await makeEventLogFolder(plan, store);
}

/** Checks what is there and makes the empty stack, which may be there already: of a helper that died right after. */
export async function makeStack({ plan, tools, lease }: Hand): Promise<void> {
  await lease.guard();
  const made = tools.engine.create(plan).catch((error: unknown) => {
    if (!isKind(error, "exists")) throw error;
  });
  const engine = { remove: guarded(lease, tools.engine.remove) };
  await prepare(plan, { ...tools, engine }, made, false);
}

/** Removes an empty stack; that it is gone already is no failure. */
export async function discardStack({ stack }: Plan, engine: Pick<StackEngine, "remove">): Promise<void> {
  try {
    await engine.remove(stack);
  } catch (error) {
    if (!isKind(error, "not-found")) throw error;
  }
}

const isKind = (error: unknown, kind: EngineFailure["error"]["kind"]): boolean =>
  error instanceof EngineFailure && error.error.kind === kind;

/** Makes the cluster's objects and delivers the job's secrets. `onNamespace`: from now on there may be logs. @returns Why that failed. */
export async function bringUp(
  { plan, tools, journal, lease, signal }: Hand,
  onNamespace: () => void,
): Promise<Outcome | undefined> {
  const delivered: Promise<void>[] = [];
  const onEvent = (event: EngineEvent): void => {
    noteEngineEvent(event, journal);
    if (event.type === "summary") journal.reach("objectsExist");
    if (event.type !== "done" || event.kind !== NAMESPACE) return;
    onNamespace();
    if (plan.secrets.length === 0) return;
    const delivery = lease.guard().then(() => tools.cluster.deliverSecrets(plan, signal, lease.fence));
    delivery.catch(() => undefined);
    delivered.push(delivery);
  };
  journal.enter("creating");
  try {
    await lease.guard();
    const policy = tools.purpose?.kind === "foreground" && tools.purpose.policy;
    await tools.engine.up(plan, { signal, onEvent, fence: lease.fence, policy });
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

/** Removes all of the attempt. Whoever held the lease before is gone: a lock that it left on another machine is broken. */
export async function remove(hand: Hand, onVerifying: () => void): Promise<Removal> {
  const { plan, tools, journal, lease, signal } = hand;
  const { engine, cluster } = tools;
  await lease.guard();
  const unlock = guarded(lease, engine.unlock);
  const destroy: StackEngine["destroy"] = async (stack, options = {}) => {
    const signals = anySignal([signal, ...(options.signal === undefined ? [] : [options.signal])]);
    try {
      await lease.guard();
      await engine.destroy(stack, { ...options, signal: signals });
    } catch (error) {
      // Where nobody had the lease before, it says nothing of whoever has locked the stack.
      if (lease.fence > 1 && error instanceof EngineFailure && isLockElsewhere(error.error))
        await unlock(stack);
      throw error;
    }
  };
  const removal = await removeRun(plan, {
    engine: {
      destroy,
      remove: guarded(lease, engine.remove),
      forget: guarded(lease, engine.forget),
      unlock,
    },
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
        return await cluster.removeNamespace(namespace, async () => {
          await lease.guard();
        });
      },
      waitGone: (namespace, limit) => cluster.waitGone(namespace, anySignal([signal, limit])),
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

/** Removes the empty stack, where there still is one. */
export async function dropStack({ plan, tools, lease }: Hand): Promise<void> {
  await lease.guard();
  await discardStack(plan, tools.engine);
}

/**
 * Puts in order what the last holder of the lease left. A cluster that was half made (`half`) is removed whole, and made again afterwards:
 * what its secret was, and whether all of it is there, nobody knows.
 */
export async function recover(hand: Hand, half: boolean): Promise<void> {
  const { plan, tools, journal, lease } = hand;
  await lease.guard();
  await tools.raiseFence(plan, lease.fence);
  if (!half) return;
  journal.warn(
    "Nobody held the run for a while in the midst of making its cluster: it is removed, and made again.",
  );
  const { left } = await remove(hand, () => undefined);
  if (left.length > 0) throw new Error(`could not be removed: ${left.join(", ")}`);
}

/** Ends early when `signal` aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

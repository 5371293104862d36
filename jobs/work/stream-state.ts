// A stream's state: what an attempt starts from, and what is remembered of its savepoints.
import { setTimeout as sleep } from "node:timers/promises";
import type { FlinkPlan, Restore } from "../../schema/plan.ts";
import {
  deleteSavepoint,
  newestState,
  planThatLeft,
  type StateAt,
  sweepCheckpoints,
} from "../flink/index.ts";
import type { Ledger, Savepoint } from "../ledger/index.ts";
import type { ObjectStore } from "../store/index.ts";
import { neededBy, surplus } from "../stream/retention.ts";
import { isPassing } from "./row.ts";
import { streamSpec } from "./streams.ts";
import type { Driven } from "./types.ts";

/** What is asked of the ledger about savepoints. */
export type SavepointLedger = Pick<Ledger, "recordSavepoint" | "savepoints" | "savepointDeleted">;

/** Between tries at a ledger or a store that is away. */
const RETRY_MS = 1000;
/** At a store, before an attempt counts as failed by it. */
const STORE_TRIES = 3;

/**
 * Writes a savepoint down, however long the ledger is away: nothing of the stream may be destroyed before.
 * @throws the signal's reason, and the ledger's UserErrors that do not pass by themselves
 */
export async function remember(
  ledger: SavepointLedger,
  savepoint: Savepoint,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    try {
      await ledger.recordSavepoint(savepoint);
      return;
    } catch (error) {
      if (!isPassing(error)) throw error;
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/**
 * The newest state that the run has left: its savepoints, and the checkpoints of its attempts up to the plan's. Undefined where there is none.
 * @throws Error where it can't be told; another attempt may be luckier
 */
export async function stateLeft(
  ledger: SavepointLedger,
  store: ObjectStore,
  plan: FlinkPlan,
): Promise<StateAt | undefined> {
  for (let tries = 1; ; tries++) {
    try {
      const known = await ledger.savepoints({ run: plan.run });
      const locations = known.map(({ location }) => location);
      return await newestState(store, plan, locations);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      // Not the job's fault, as a UserError would tell.
      if (tries === STORE_TRIES) throw new Error(`The newest state could not be looked up: ${message}`);
      await sleep(RETRY_MS);
    }
  }
}

/** What an attempt goes on from where one before, or a half-made one, has left state; undefined for the run's own start. */
export async function restoreOf(
  { run, tools, warn, clock }: Pick<Driven, "run" | "tools" | "warn" | "clock">,
  plan: FlinkPlan,
): Promise<Restore | undefined> {
  const state = await stateLeft(tools.ledger, tools.store, plan);
  if (state === undefined) {
    const start = plan.restore === undefined ? "without state" : `from ${plan.restore.location}`;
    warn(
      `No checkpoint and no savepoint of the run is there: attempt ${plan.attempt} starts ${start}, as the first one did.`,
    );
    return undefined;
  }
  const age = Math.max(0, Math.round((clock() - state.at.getTime()) / 1000));
  warn(`Attempt ${plan.attempt} goes on from the ${state.kind} of ${age} s ago: ${state.location}`);
  const allowNonRestoredState = streamSpec(run.spec)?.from?.allowNonRestoredState ?? false;
  return { location: state.location, kind: state.kind, allowNonRestoredState };
}

/**
 * Deletes the run's checkpoints, but for those of a run of which the ledger names one as state to go on from. What can't be deleted is told.
 * @param from What the run began with, where its own savepoint has taken the place of that: the checkpoints of the run that left it go too.
 */
export async function sweep(
  { ledger, store }: { readonly ledger: SavepointLedger; readonly store: ObjectStore },
  plan: FlinkPlan,
  warn: Driven["warn"],
  from?: string,
): Promise<void> {
  try {
    const known = await ledger.savepoints({ run: plan.run });
    if (known.some(({ kind }) => kind === "checkpoint")) return;
    const before = from === undefined ? undefined : planThatLeft(plan, from);
    for (const swept of before === undefined ? [plan] : [plan, before]) {
      const { complete } = await sweepCheckpoints(store, swept);
      if (!complete) warn(`Not all checkpoints of run ${swept.run} could be listed: some may be left in S3.`);
    }
  } catch (error) {
    warn(
      `The run's checkpoints could not be deleted: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Deletes the oldest of the job's savepoints, as `mayfly savepoint` does. What can't be deleted now is the next time's. */
export async function keepNewest(
  { run, spec, tools, warn, clock }: Pick<Driven, "run" | "spec" | "tools" | "warn" | "clock">,
  plan: FlinkPlan,
  keep: number,
): Promise<void> {
  const { tenant, job, environment } = run;
  const stream = streamSpec(spec);
  try {
    const all = await tools.ledger.savepoints({ tenant, job, environment });
    // The job has no other live run, and this one names in its spec what the one before left.
    const live = stream === undefined ? [] : [{ run: { ...run, plan, spec: stream }, before: undefined }];
    for (const { location } of surplus(all, keep, neededBy(live, undefined))) {
      await deleteSavepoint(tools.store, location);
      await tools.ledger.savepointDeleted(location, new Date(clock()).toISOString());
    }
  } catch (error) {
    warn(
      `A savepoint that is too old could not be deleted: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

import type { Effect, RunFacts, RunState, Step } from "./machine-types.ts";

/** A step to `state`. */
export const to = (state: RunState, ...effects: readonly Effect[]): Step => ({ state, effects });
/** An effect that need not wait. */
export const now = <T extends "recover" | "destroy" | "removeStack">(type: T) =>
  ({ type, afterMs: 0 }) as const;
export const plan = ({ attempt, failed, moreMemory }: RunFacts): Effect => {
  const larger = moreMemory ? failed.filter((kind) => kind === "out-of-memory").length : 0;
  return { type: "plan", attempt, larger };
};
export const acquire = ({ fence }: RunFacts): Effect => ({ type: "acquireLease", knownFence: fence });
export const cancelling = (facts: RunFacts): RunFacts => ({ ...facts, cancelRequested: true });

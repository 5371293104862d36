import type { Effect, RunFacts, RunState, Step } from "./machine-types.ts";

/** A step to `state`. */
export const to = (state: RunState, ...effects: readonly Effect[]): Step => ({ state, effects });
/** An effect that need not wait. */
export const now = <T extends "recover" | "destroy" | "removeStack">(type: T) =>
  ({ type, afterMs: 0 }) as const;
export const plan = ({ attempt, memory: { factor, driver, workers } }: RunFacts): Effect => ({
  type: "plan",
  attempt,
  memory: { driver: factor ** driver, workers: factor ** workers },
});
export const acquire = ({ fence }: RunFacts): Effect => ({ type: "acquireLease", knownFence: fence });
/** From now on only its end is wanted. */
export const ending = (facts: RunFacts): RunFacts => ({ ...facts, mode: { kind: "removal" } });
export const cancelling = (facts: RunFacts): RunFacts => ({ ...facts, cancelRequested: true });

import type { Effect, RunFacts, RunState, Step } from "./machine-types.ts";

/** A step to `state`. */
export const to = (state: RunState, ...effects: readonly Effect[]): Step => ({ state, effects });
/** An effect that need not wait. */
export const now = <T extends "recover" | "destroy" | "removeStack">(type: T) =>
  ({ type, afterMs: 0 }) as const;
/** How many times more memory an attempt gets than the job's spec says. */
export const memoryScale = ({ memory: { factor, driver, workers } }: RunFacts) => ({
  driver: factor ** driver,
  workers: factor ** workers,
});
export const plan = (facts: RunFacts): Effect => ({
  type: "plan",
  attempt: facts.attempt,
  memory: memoryScale(facts),
});
export const acquire = ({ fence }: RunFacts): Effect => ({ type: "acquireLease", knownFence: fence });
/** From now on only its end is wanted. */
export const ending = (facts: RunFacts): RunFacts => ({ ...facts, mode: { kind: "removal" } });
export const cancelling = (facts: RunFacts): RunFacts => ({ ...facts, cancelRequested: true });

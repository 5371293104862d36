import type { Outcome } from "../../schema/outcome.ts";
import { backoffMs } from "../queue/index.ts";
import type { Creating, Effect, HeldState, RunFacts, Running, Step, Terminal } from "./machine-types.ts";
import { triesAgain } from "./phases.ts";

export const CANCELLED: Outcome = { kind: "cancelled", message: "The run was cancelled." };

/** The terminal phase of an outcome. */
function terminalPhase({ kind }: Outcome): Terminal["phase"] {
  switch (kind) {
    case "succeeded":
    case "cancelled":
    case "lost":
      return kind;
    case "user-failure":
    case "out-of-memory":
    case "image":
    case "unschedulable":
    case "refused":
    case "infrastructure":
    case "deadline":
      return "failed";
  }
}

/** Whether an attempt's outcome would be followed by another attempt, cancelled or not. */
const wouldRetry = ({ budget, failed }: RunFacts, { kind }: Outcome): boolean =>
  triesAgain(budget, [...failed, kind]);

const mayRetry = (facts: RunFacts): boolean => !facts.cancelRequested && !facts.overdue;

/** Whether an attempt with this outcome ends its run, so that its cluster may be kept. */
export const isLast = (facts: RunFacts, outcome: Outcome): boolean =>
  !mayRetry(facts) || !wouldRetry(facts, outcome);

/** How the run ends by its last attempt: one that would have been tried again, had nobody cancelled it, is cancelled. */
export const finalOutcome = (facts: RunFacts, outcome: Outcome): Outcome =>
  facts.cancelRequested && wouldRetry(facts, outcome) ? CANCELLED : outcome;

/** Nothing of the attempt exists any more but what is `left`: another attempt, or the end. */
export function settle(
  { facts, lease }: HeldState,
  outcome: Outcome,
  left: readonly string[] = [],
  first: readonly Effect[] = [],
): Step {
  if (left.length === 0 && !isLast(facts, outcome)) {
    const attempt = facts.attempt + 1;
    return {
      state: {
        phase: "queued",
        facts: { ...facts, attempt, failed: [...facts.failed, outcome.kind] },
        asked: false,
      },
      effects: [
        ...first,
        { type: "report", final: false },
        { type: "releaseLease", fence: lease, remove: false },
        { type: "scheduleRetry", attempt, afterMs: backoffMs(facts.run, facts.attempt) },
      ],
    };
  }
  const stopped = finalOutcome(facts, outcome);
  return {
    state: { phase: terminalPhase(stopped), facts, outcome: stopped, left },
    effects: [
      ...first,
      { type: "report", final: true },
      // Who removes the rest some day needs a higher fence: the object stays.
      { type: "releaseLease", fence: lease, remove: left.length === 0 },
    ],
  };
}

/** A run that nobody works on, and of which nothing exists, is cancelled. */
export const cancelQueued = (facts: RunFacts): Step => ({
  state: {
    phase: "cancelled",
    facts: { ...facts, cancelRequested: true },
    outcome: CANCELLED,
    left: [],
  },
  effects: [{ type: "report", final: true }],
});

/** The attempt has its outcome: save what is worth it, then destroy. */
export function conclude({ facts, lease }: Creating | Running, outcome: Outcome, objects: boolean): Step {
  return objects
    ? {
        state: { phase: "finishing", facts, lease, outcome },
        effects: [{ type: "stop" }, { type: "saveLogs" }],
      }
    : {
        state: { phase: "destroying", facts, lease, outcome, step: "objects", tries: 0 },
        effects: [{ type: "stop" }, { type: "destroy", afterMs: 0 }],
      };
}

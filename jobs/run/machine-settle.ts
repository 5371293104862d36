import type { Outcome } from "../../schema/outcome.ts";
import { backoffMs } from "../queue/index.ts";
import type {
  Creating,
  Effect,
  HeldState,
  MemoryFacts,
  RunFacts,
  Running,
  Step,
  Suspending,
  Terminal,
} from "./machine-types.ts";
import { triesAgain } from "./phases.ts";

export const CANCELLED: Outcome = { kind: "cancelled", message: "The run was cancelled." };

/** The terminal phase of an outcome. */
function terminalPhase({ kind }: Outcome): Terminal["phase"] {
  switch (kind) {
    case "succeeded":
    case "suspended":
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
const wouldRetry = ({ budget, failed, mode }: RunFacts, { kind }: Outcome): boolean =>
  mode.kind !== "removal" && triesAgain(budget, [...failed, kind]);

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
    const next = nextAttempt(facts, outcome);
    const { attempt } = next;
    const report: Effect = { type: "report", final: false };
    const retry: Effect = {
      type: "scheduleRetry",
      attempt,
      afterMs: backoffMs(facts.run, next.failed.length),
    };
    // Whoever waits for a run in the foreground keeps it; any worker may take the others.
    return facts.mode.kind === "foreground"
      ? { state: { phase: "waiting", facts: next, lease }, effects: [...first, report, retry] }
      : {
          state: { phase: "queued", facts: next, asked: false },
          effects: [...first, report, { type: "releaseLease", fence: lease, remove: false }, retry],
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

const nextAttempt = (facts: RunFacts, outcome: Outcome): RunFacts => ({
  ...facts,
  attempt: facts.attempt + 1,
  failed: [...facts.failed, outcome.kind],
  memory: grown(facts.memory, outcome),
});

/** Whoever ran out of memory gets more; the master's is no matter of the job. */
function grown(memory: MemoryFacts, outcome: Outcome): MemoryFacts {
  if (outcome.kind !== "out-of-memory" || outcome.container === "master") return memory;
  return outcome.container === "driver"
    ? { ...memory, driver: memory.driver + 1 }
    : { ...memory, workers: memory.workers + 1 };
}

/** An attempt could not begin, and nothing of it is left: the first one of a foreground run never was. */
export function refuse(state: Creating, outcome: Outcome): Step {
  const { facts, lease } = state;
  const stop: Effect = { type: "stop" };
  if (facts.mode.kind !== "foreground" || facts.attempt > 1) return settle(state, outcome, [], [stop]);
  return {
    state: { phase: "refused", facts, outcome },
    effects: [stop, { type: "forget" }, { type: "releaseLease", fence: lease, remove: true }],
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
  effects: [{ type: "stop" }, { type: "report", final: true }],
});

/** The attempt has its outcome: save what is worth it, then destroy. */
export function conclude(
  { facts, lease }: Creating | Running | Suspending,
  outcome: Outcome,
  objects: boolean,
): Step {
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

// The life of a run as a pure function. Rules, diagram and what is proven of it: docs/state-machine.md.
import { creating, destroying, finishing, planning, running } from "./machine-attempt.ts";
import { deadlineOutcome } from "./machine-deadlines.ts";
import { acquire, now, plan, to } from "./machine-effects.ts";
import { adrift, interrupted, kept, recovering } from "./machine-recovery.ts";
import { cancelQueued } from "./machine-settle.ts";
import type { HeldState, MachineEvent, Queued, RunFacts, RunState, Step } from "./machine-types.ts";

export * from "./machine-deadlines.ts";
export { diagram, TRANSITIONS } from "./machine-table.ts";
export type * from "./machine-types.ts";

/** A run before it is in the ledger. */
export const newRun = (facts: Pick<RunFacts, "run" | "budget" | "keep" | "moreMemory">): RunState => ({
  phase: "new",
  facts: { ...facts, attempt: 1, failed: [], fence: 0, cancelRequested: false, overdue: false },
});

/**
 * What a run is after `event`, and what is to be done, in order, once the new state is in the ledger. What does not fit the
 * state (it came twice, late, or from a lease or attempt before) changes nothing.
 */
export function reduce(state: RunState, event: MachineEvent): Step {
  switch (state.phase) {
    case "new":
      if (event.type === "submitted") return to({ phase: "queued", facts: state.facts, asked: false });
      return event.type === "cancelRequested" ? cancelQueued(state.facts) : unwanted(state, event);
    case "queued":
      return queued(state, event);
    case "planning":
    case "creating":
    case "running":
    case "finishing":
    case "destroying":
    case "recovering":
      return held(state, event);
    case "adrift":
      return adrift(state, event);
    case "kept":
      return event.type === "leaseAcquired" ? unwanted(state, event) : kept(state, event);
    case "succeeded":
    case "failed":
    case "cancelled":
    case "lost":
      return unwanted(state, event);
  }
}

/** A lease that comes when nobody wants it any more goes back at once; nothing else is done. */
function unwanted(state: RunState, event: MachineEvent): Step {
  if (event.type !== "leaseAcquired" || event.fence <= state.facts.fence) return to(state);
  const facts = { ...state.facts, fence: event.fence };
  const remove = "left" in state && state.left.length === 0;
  return to({ ...state, facts }, { type: "releaseLease", fence: event.fence, remove });
}

function queued(state: Queued, event: MachineEvent): Step {
  const { facts, asked } = state;
  switch (event.type) {
    case "retryDue":
      if (event.attempt !== facts.attempt) return to(state);
      return asked ? to(state) : to({ ...state, asked: true }, acquire(facts));
    case "claimed":
      return asked ? to(state) : to({ ...state, asked: true }, acquire(facts));
    case "leaseRefused":
    case "helperRestarted":
      return asked ? to({ ...state, asked: false }) : to(state);
    case "leaseAcquired": {
      if (!asked || event.fence <= facts.fence) return unwanted(state, event);
      const mine = { ...facts, fence: event.fence };
      return to({ phase: "planning", facts: mine, lease: event.fence }, plan(mine));
    }
    case "cancelRequested":
      return cancelQueued(facts);
    case "deadline":
      if (event.name !== "run") return to(state);
      return to(
        {
          phase: "failed",
          facts: { ...facts, overdue: true },
          outcome: deadlineOutcome("run", event.limitSeconds),
          left: [],
        },
        { type: "report", final: true },
      );
    case "submitted":
    case "removalRequested":
    case "leaseLost":
    case "planned":
    case "stackCreated":
    case "objectsExist":
    case "driverStarted":
    case "verdict":
    case "recovered":
    case "logsSaved":
    case "destroyed":
    case "stackRemoved":
    case "failed":
      return to(state);
  }
}

/** What is common to all phases with a lease; the rest is the phase's own. */
function held(state: HeldState, event: MachineEvent): Step {
  switch (event.type) {
    case "leaseAcquired": {
      if (event.fence <= state.lease) return to(state);
      // The old one was lost without our knowing.
      const facts = { ...state.facts, fence: event.fence };
      const { was, outcome } = interrupted(state);
      return to(
        { phase: "recovering", facts, lease: event.fence, was, outcome, tries: 0 },
        { type: "stop" },
        now("recover"),
      );
    }
    case "leaseLost":
      if (event.fence !== state.lease) return to(state);
      return to(
        { phase: "adrift", facts: state.facts, ...interrupted(state), asked: false },
        { type: "stop" },
      );
    case "helperRestarted":
      return to(
        { phase: "adrift", facts: state.facts, ...interrupted(state), asked: true },
        acquire(state.facts),
      );
    case "submitted":
    case "claimed":
    case "retryDue":
    case "removalRequested":
    case "leaseRefused":
      return to(state);
    case "cancelRequested":
      return state.facts.cancelRequested ? to(state) : phaseOf(state, event);
    case "planned":
    case "stackCreated":
    case "objectsExist":
    case "driverStarted":
    case "verdict":
    case "recovered":
    case "logsSaved":
    case "destroyed":
    case "stackRemoved":
    case "failed":
    case "deadline":
      return event.fence === state.lease ? phaseOf(state, event) : to(state);
  }
}

function phaseOf(state: HeldState, event: MachineEvent): Step {
  switch (state.phase) {
    case "planning":
      return planning(state, event);
    case "creating":
      return creating(state, event);
    case "running":
      return running(state, event);
    case "finishing":
      return finishing(state, event);
    case "destroying":
      return destroying(state, event);
    case "recovering":
      return recovering(state, event);
  }
}

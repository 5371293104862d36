// The life of a run as a pure function. Rules, diagram and what is proven of it: docs/state-machine.md.

import type { Outcome } from "../../schema/outcome.ts";
import {
  creating,
  destroying,
  finishing,
  planning,
  running,
  suspending,
  waiting,
} from "./machine-attempt.ts";
import { deadlineOutcome } from "./machine-deadlines.ts";
import { acquire, now, plan, to } from "./machine-effects.ts";
import {
  abandoned,
  adrift,
  interrupted,
  leaseLost,
  leftUp,
  orphaned,
  recovering,
} from "./machine-recovery.ts";
import { cancelQueued } from "./machine-settle.ts";
import type { HeldState, MachineEvent, Queued, RunFacts, RunState, Step } from "./machine-types.ts";

export * from "./machine-deadlines.ts";
export { memoryScale } from "./machine-effects.ts";
export { diagram, TRANSITIONS } from "./machine-table.ts";
export type * from "./machine-types.ts";

/** What is known of a run from the start. */
export type NewRun = Pick<RunFacts, "run" | "budget" | "mode"> & { readonly memoryFactor: number };

/** A run before it is in the ledger. */
export const newRun = (given: NewRun): RunState => ({
  phase: "new",
  facts: {
    run: given.run,
    budget: given.budget,
    mode: given.mode,
    memory: { factor: given.memoryFactor, driver: 0, workers: 0 },
    attempt: 1,
    failed: [],
    fence: 0,
    cancelRequested: false,
    overdue: false,
  },
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
    case "waiting":
    case "planning":
    case "creating":
    case "running":
    case "suspending":
    case "finishing":
    case "destroying":
    case "recovering":
      return held(state, event);
    case "adrift":
      return adrift(state, event);
    case "kept":
      return event.type === "removalRequested" ? leftUp(state) : unwanted(state, event);
    case "succeeded":
    case "suspended":
    case "failed":
    case "cancelled":
    case "lost":
      return event.type === "removalRequested" && state.left.length > 0
        ? leftUp(state)
        : unwanted(state, event);
    case "refused":
      return unwanted(state, event);
  }
}

/** A lease that comes when nobody wants it any more goes back at once; nothing else is done. */
function unwanted(state: RunState, event: MachineEvent): Step {
  if (event.type !== "leaseAcquired" || event.fence <= state.facts.fence) return to(state);
  const facts = { ...state.facts, fence: event.fence };
  const remove = state.phase === "refused" || ("left" in state && state.left.length === 0);
  return to({ ...state, facts }, { type: "releaseLease", fence: event.fence, remove });
}

const NO_LEASE: Outcome = { kind: "infrastructure", message: "The run's lease could not be had." };

function queued(state: Queued, event: MachineEvent): Step {
  const { facts, asked } = state;
  switch (event.type) {
    case "retryDue":
      if (event.attempt !== facts.attempt) return to(state);
      return asked ? to(state) : to({ ...state, asked: true }, acquire(facts));
    case "claimed":
      return asked ? to(state) : to({ ...state, asked: true }, acquire(facts));
    case "leaseRefused":
      if (!asked) return to(state);
      return facts.mode.kind === "foreground"
        ? to({ phase: "refused", facts, outcome: NO_LEASE }, { type: "stop" }, { type: "forget" })
        : to({ ...state, asked: false });
    case "helperRestarted":
      if (facts.mode.kind === "foreground") return abandoned(state);
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
        { type: "stop" },
        { type: "report", final: true },
      );
    case "submitted":
    case "suspendRequested":
    case "steady":
    case "savepointTaken":
    case "removalRequested":
    case "leaseLost":
    case "planned":
    case "refused":
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
      return to(
        { phase: "recovering", facts, lease: event.fence, ...interrupted(state), tries: 0 },
        { type: "stop" },
        now("recover"),
      );
    }
    case "leaseLost":
      return event.fence === state.lease ? leaseLost(state) : to(state);
    case "helperRestarted":
      return orphaned(state.facts, interrupted(state));
    case "retryDue":
    case "suspendRequested":
      return phaseOf(state, event);
    case "submitted":
    case "claimed":
    case "removalRequested":
    case "leaseRefused":
      return to(state);
    case "cancelRequested":
      return state.facts.cancelRequested ? to(state) : phaseOf(state, event);
    case "planned":
    case "refused":
    case "stackCreated":
    case "objectsExist":
    case "driverStarted":
    case "verdict":
    case "steady":
    case "savepointTaken":
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
    case "waiting":
      return waiting(state, event);
    case "planning":
      return planning(state, event);
    case "creating":
      return creating(state, event);
    case "running":
      return running(state, event);
    case "suspending":
      return suspending(state, event);
    case "finishing":
      return finishing(state, event);
    case "destroying":
      return destroying(state, event);
    case "recovering":
      return recovering(state, event);
  }
}

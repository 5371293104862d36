// What becomes of a run whose helper lost it or died.
import type { Outcome } from "../../schema/outcome.ts";
import { backoffMs } from "../queue/index.ts";
import { destroyingFrom } from "./machine-attempt.ts";
import { deadlineOutcome } from "./machine-deadlines.ts";
import { acquire, cancelling, now, plan, to } from "./machine-effects.ts";
import { CANCELLED, settle } from "./machine-settle.ts";
import type {
  Adrift,
  Effect,
  HeldState,
  Interrupted,
  Kept,
  MachineEvent,
  Planning,
  Recovering,
  Step,
} from "./machine-types.ts";

/** Tries of putting an interrupted run in order, before it is only destroyed. */
const RECOVER_TRIES = 5;

/** What a run was at that is now without a helper. */
export function interrupted(state: HeldState): Interrupted {
  switch (state.phase) {
    case "planning":
    case "creating":
    case "running":
      return { was: state.phase, outcome: undefined };
    case "finishing":
    case "destroying":
      return { was: state.phase, outcome: state.outcome };
    case "recovering":
      return { was: state.was, outcome: state.outcome };
  }
}

export function recovering(state: Recovering, event: MachineEvent): Step {
  const { facts } = state;
  const outcome = state.outcome ?? outcomeWhileInterrupted(event);
  if (event.type === "cancelRequested") return to({ ...state, facts: cancelling(facts), outcome });
  if (event.type === "deadline" && event.name === "run")
    return to({ ...state, facts: { ...facts, overdue: true }, outcome });
  if (event.type === "recovered") return carryOn(state);
  const failed = event.type === "failed" && event.step === "recover";
  if (failed && state.tries + 1 < RECOVER_TRIES) {
    const tries = state.tries + 1;
    return to({ ...state, tries }, { type: "recover", afterMs: backoffMs(`${facts.run}/recover`, tries) });
  }
  const tooLate = event.type === "deadline" && event.name === "recover";
  if (!failed && !tooLate) return to(state);
  const message = failed ? event.message : undefined;
  const given: Outcome = outcome ?? {
    kind: "infrastructure",
    message: `The run's helper died, and what it had left could not be put in order${message === undefined ? "." : `: ${message}`}`,
  };
  const stop: Effect[] = tooLate ? [{ type: "stop" }] : [];
  return to(destroyingFrom(state, given), ...stop, now("destroy"));
}

/** All is in order: go on where the dead helper was. */
function carryOn(state: Recovering): Step {
  const { facts, lease, was, outcome } = state;
  switch (was) {
    case "planning":
      return planAgain({ phase: "planning", facts, lease }, outcome);
    case "creating":
      if (outcome !== undefined) return saving(state, outcome);
      return to({ phase: "creating", facts, lease, step: "stack" }, { type: "createStack" });
    case "running":
      if (outcome !== undefined) return saving(state, outcome);
      return to({ phase: "running", facts, lease }, { type: "watch" });
    case "finishing":
      return saving(state, outcome ?? CANCELLED);
    case "destroying":
      return to(destroyingFrom(state, outcome ?? CANCELLED), now("destroy"));
  }
}

const saving = ({ facts, lease }: Recovering, outcome: Outcome): Step =>
  to({ phase: "finishing", facts, lease, outcome }, { type: "saveLogs" });

/** Nothing exists: there is nothing to put in order. */
const planAgain = (state: Planning, outcome: Outcome | undefined): Step =>
  outcome === undefined ? to(state, plan(state.facts)) : settle(state, outcome);

function outcomeWhileInterrupted(event: MachineEvent): Outcome | undefined {
  if (event.type === "cancelRequested") return CANCELLED;
  if (event.type === "deadline" && event.name === "run") return deadlineOutcome("run", event.limitSeconds);
  return undefined;
}

/** Others may work on it: nothing is done but to note what is wanted, until we have its lease. */
export function adrift(state: Adrift, event: MachineEvent): Step {
  const { facts, was } = state;
  const outcome = state.outcome ?? outcomeWhileInterrupted(event);
  switch (event.type) {
    // Whoever asked before may have died over it; to ask twice does no harm.
    case "helperRestarted":
      return to({ ...state, asked: true }, acquire(facts));
    case "claimed":
      return state.asked ? to(state) : to({ ...state, asked: true }, acquire(facts));
    case "leaseRefused":
      return state.asked ? to({ ...state, asked: false }) : to(state);
    case "cancelRequested":
      return facts.cancelRequested ? to(state) : to({ ...state, facts: cancelling(facts), outcome });
    case "deadline":
      if (event.name !== "run") return to(state);
      return to({ ...state, facts: { ...facts, overdue: true }, outcome });
    case "leaseAcquired": {
      if (event.fence <= facts.fence) return to(state);
      const mine = { ...facts, fence: event.fence };
      const lease = event.fence;
      if (was !== "planning")
        return to({ phase: "recovering", facts: mine, lease, was, outcome, tries: 0 }, now("recover"));
      return planAgain({ phase: "planning", facts: mine, lease }, outcome);
    }
    case "submitted":
    case "retryDue":
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

/** Its cluster was left up on purpose, until someone wants it removed. */
export function kept(state: Kept, event: MachineEvent): Step {
  if (event.type !== "removalRequested") return to(state);
  const { outcome } = state;
  // It is over: whatever comes now, there is no further attempt.
  const facts = { ...state.facts, budget: { user: 0, outOfMemory: 0, infrastructure: 0 } };
  return to({ phase: "adrift", facts, was: "destroying", outcome, asked: true }, acquire(facts));
}

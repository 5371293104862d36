// What becomes of a run whose helper lost it or died.
import type { Outcome } from "../../schema/outcome.ts";
import { backoffMs } from "../queue/index.ts";
import { destroyingFrom } from "./machine-attempt.ts";
import { deadlineOutcome } from "./machine-deadlines.ts";
import { acquire, cancelling, ending, now, plan, to } from "./machine-effects.ts";
import { CANCELLED, settle } from "./machine-settle.ts";
import type {
  Adrift,
  Effect,
  HeldState,
  Interrupted,
  Kept,
  MachineEvent,
  Planning,
  Queued,
  Recovering,
  RunFacts,
  Step,
  Terminal,
} from "./machine-types.ts";

/** Tries of putting an interrupted run in order, before it is only destroyed. */
const RECOVER_TRIES = 5;

/** Nobody gets the answer any more, and who lost it may well ask for the job anew: it is not carried on. */
const LOST: Outcome = { kind: "lost", message: "The helper died before the run's end." };

/** What a run was at that is now without a helper. */
export function interrupted(state: HeldState): Interrupted {
  switch (state.phase) {
    case "waiting":
      return { was: "planning", outcome: undefined };
    case "planning":
      // A foreground helper makes the empty stack while it still plans.
      return { was: state.facts.mode.kind === "foreground" ? "creating" : "planning", outcome: undefined };
    case "creating":
    case "running":
      return { was: state.phase, outcome: undefined };
    case "suspending":
      return { was: state.phase, outcome: undefined, trigger: state.trigger };
    case "finishing":
    case "destroying":
      return { was: state.phase, outcome: state.outcome };
    case "recovering":
      return { was: state.was, outcome: state.outcome, ...triggerOf(state) };
  }
}

const triggerOf = ({ trigger }: Interrupted): Pick<Interrupted, "trigger"> =>
  trigger === undefined ? {} : { trigger };

/** Its helper is gone for good: a worker's run goes on, a foreground run has only its end before it. */
export function orphaned(facts: RunFacts, work: Interrupted): Step {
  const ends = facts.mode.kind === "foreground";
  return to(
    {
      phase: "adrift",
      facts: ends ? ending(facts) : facts,
      was: work.was,
      outcome: ends ? (work.outcome ?? LOST) : work.outcome,
      ...triggerOf(work),
      asked: true,
    },
    acquire(facts),
  );
}

/** The lease went while its helper lives: in the foreground that one wants it back, for its caller waits. */
export function leaseLost(state: HeldState): Step {
  const asked = state.facts.mode.kind === "foreground";
  const stop: Effect = { type: "stop" };
  return to(
    { phase: "adrift", facts: state.facts, ...interrupted(state), asked },
    ...(asked ? [stop, acquire(state.facts)] : [stop]),
  );
}

/** A foreground run whose helper died before it had the lease: its empty stack may be there. */
export const abandoned = ({ facts }: Queued): Step =>
  orphaned(facts, { was: "creating", outcome: undefined });

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
    case "suspending": {
      if (outcome !== undefined) return saving(state, outcome);
      const trigger = state.trigger ?? facts.run;
      return to(
        { phase: "suspending", facts, lease, trigger },
        { type: "watch" },
        { type: "suspend", trigger },
      );
    }
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
      return orphaned(facts, state);
    case "removalRequested": {
      const unwanted: Adrift = { ...state, facts: ending(facts), outcome: outcome ?? LOST };
      return state.asked ? to(unwanted) : to({ ...unwanted, asked: true }, acquire(facts));
    }
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
        return to(
          { phase: "recovering", facts: mine, lease, was, outcome, ...triggerOf(state), tries: 0 },
          now("recover"),
        );
      return planAgain({ phase: "planning", facts: mine, lease }, outcome);
    }
    case "submitted":
    case "suspendRequested":
    case "steady":
    case "savepointTaken":
    case "retryDue":
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

/** Its cluster was left up on purpose, or could not be removed, until someone wants it removed. */
export function leftUp({ facts, outcome }: Kept | Terminal): Step {
  return to(
    { phase: "adrift", facts: ending(facts), was: "destroying", outcome, asked: true },
    acquire(facts),
  );
}

// The phases of one attempt, each with the lease.
import type { Outcome } from "../../schema/outcome.ts";
import { backoffMs } from "../queue/index.ts";
import { deadlineMessage, deadlineOutcome } from "./machine-deadlines.ts";
import { cancelling, now, plan, to } from "./machine-effects.ts";
import { CANCELLED, conclude, finalOutcome, isLast, refuse, settle } from "./machine-settle.ts";
import type {
  Creating,
  Destroying,
  Effect,
  Finishing,
  HeldState,
  MachineEvent,
  Planning,
  Running,
  Step,
  Suspending,
  Waiting,
} from "./machine-types.ts";

/** Nothing exists yet: whatever ends it here ends it without a destroy. */
export function planning(state: Planning, event: MachineEvent): Step {
  if (event.type === "planned")
    return to({ ...state, phase: "creating", step: "stack" }, { type: "createStack" });
  if (event.type === "failed" && event.step === "plan") return settle(state, event.outcome);
  if (event.type === "cancelRequested")
    return settle({ ...state, facts: cancelling(state.facts) }, CANCELLED, [], [{ type: "stop" }]);
  if (event.type === "deadline" && (event.name === "plan" || event.name === "run")) {
    const facts = { ...state.facts, overdue: event.name === "run" };
    return settle(
      { ...state, facts },
      deadlineOutcome(event.name, event.limitSeconds),
      [],
      [{ type: "stop" }],
    );
  }
  return to(state);
}

/** Between two attempts of a foreground run. */
export function waiting(state: Waiting, event: MachineEvent): Step {
  const { facts } = state;
  if (event.type === "retryDue")
    return event.attempt === facts.attempt ? to({ ...state, phase: "planning" }, plan(facts)) : to(state);
  if (event.type === "cancelRequested")
    return settle({ ...state, facts: cancelling(facts) }, CANCELLED, [], [{ type: "stop" }]);
  if (event.type === "deadline" && event.name === "run") {
    const outcome = deadlineOutcome("run", event.limitSeconds);
    return settle({ ...state, facts: { ...facts, overdue: true } }, outcome, [], [{ type: "stop" }]);
  }
  return to(state);
}

export function creating(state: Creating, event: MachineEvent): Step {
  const empty = state.step === "stack";
  if (event.type === "stackCreated" && empty)
    return to({ ...state, step: "objects" }, { type: "up" }, { type: "watch" });
  if (event.type === "objectsExist" && state.step === "objects") return to({ ...state, step: "made" });
  if (event.type === "driverStarted" && !empty)
    return to({ phase: "running", facts: state.facts, lease: state.lease });
  if (event.type === "refused" && empty) return refuse(state, event.outcome);
  if (event.type === "failed" && event.step === "createStack" && empty)
    return conclude(state, event.outcome, false);
  if (event.type === "deadline" && (event.name === "create" || event.name === "start"))
    return conclude(state, deadlineOutcome(event.name, event.limitSeconds), !empty);
  return working(state, event, !empty);
}

export function running(state: Running, event: MachineEvent): Step {
  if (event.type === "suspendRequested") {
    const { trigger } = event;
    return to({ ...state, phase: "suspending", trigger }, { type: "suspend", trigger });
  }
  if (event.type === "steady")
    return state.facts.failed.length === 0
      ? to(state)
      : to({ ...state, facts: { ...state.facts, failed: [] } });
  return working(state, event, true);
}

/** It runs on, and is watched, until its state is safe. */
export function suspending(state: Suspending, event: MachineEvent): Step {
  const { facts, lease, trigger } = state;
  if (event.type === "savepointTaken") {
    const { savepoint } = event;
    const message = `The stream was suspended; its state is ${savepoint}.`;
    return conclude(state, { kind: "suspended", savepoint, message }, true);
  }
  const goesOn = (message: string, ...first: readonly Effect[]): Step =>
    to(
      { phase: "running", facts, lease },
      ...first,
      { type: "watch" },
      { type: "notSuspended", trigger, message },
    );
  if (event.type === "failed" && event.step === "suspend") return goesOn(event.message);
  if (event.type === "deadline" && event.name === "suspend")
    return goesOn(deadlineMessage(event.name, event.limitSeconds), { type: "stop" });
  // Our own stop: the savepoint's location is on its way.
  if (event.type === "verdict" && event.outcome.kind === "succeeded") return to(state);
  return working(state, event, true);
}

/** What ends an attempt whose objects may exist. */
function working(state: Creating | Running | Suspending, event: MachineEvent, objects: boolean): Step {
  if (event.type === "cancelRequested")
    return conclude({ ...state, facts: cancelling(state.facts) }, CANCELLED, objects);
  if (event.type === "deadline" && event.name === "run") {
    const facts = { ...state.facts, overdue: true };
    return conclude({ ...state, facts }, deadlineOutcome("run", event.limitSeconds), objects);
  }
  if (!objects) return to(state);
  if (event.type === "verdict") return conclude(state, event.outcome, true);
  if (event.type === "failed" && (event.step === "up" || event.step === "watch"))
    return conclude(state, event.outcome, true);
  if (event.type === "deadline" && (event.name === "pending" || event.name === "image"))
    return conclude(state, deadlineOutcome(event.name, event.limitSeconds), true);
  return to(state);
}

/** From the outcome on it is too late to cancel: the attempt is what it was, but there is no other. */
function late(state: Finishing | Destroying, event: MachineEvent): Step {
  if (event.type === "cancelRequested") return to({ ...state, facts: cancelling(state.facts) });
  if (event.type === "deadline" && event.name === "run")
    return to({ ...state, facts: { ...state.facts, overdue: true } });
  return to(state);
}

export function finishing(state: Finishing, event: MachineEvent): Step {
  const inTime = event.type === "logsSaved" || (event.type === "failed" && event.step === "saveLogs");
  const tooLate = event.type === "deadline" && event.name === "logs";
  if (!inTime && !tooLate) return late(state, event);
  const { facts, lease, outcome } = state;
  const stop: Effect[] = tooLate ? [{ type: "stop" }] : [];
  return facts.mode.kind === "foreground" && facts.mode.keep && isLast(facts, outcome)
    ? to(
        { phase: "kept", facts, outcome: finalOutcome(facts, outcome) },
        ...stop,
        { type: "report", final: true },
        { type: "releaseLease", fence: lease, remove: false },
      )
    : to(destroyingFrom(state, outcome), ...stop, now("destroy"));
}

export const destroyingFrom = ({ facts, lease }: HeldState, outcome: Outcome): Destroying => ({
  phase: "destroying",
  facts,
  lease,
  outcome,
  step: "objects",
  tries: 0,
});

export function destroying(state: Destroying, event: MachineEvent): Step {
  const { step, outcome, facts } = state;
  const tries = state.tries + 1;
  const afterMs = backoffMs(`${facts.run}/${step}`, tries);
  if (step === "objects") {
    if (event.type === "destroyed")
      return event.left.length > 0
        ? settle(state, outcome, event.left)
        : to({ ...state, step: "stack", tries: 0 }, now("removeStack"));
    if (event.type === "failed" && event.step === "destroy")
      return to({ ...state, tries }, { type: "destroy", afterMs });
  } else {
    if (event.type === "stackRemoved") return settle(state, outcome);
    if (event.type === "failed" && event.step === "removeStack")
      return to({ ...state, tries }, { type: "removeStack", afterMs });
  }
  if (event.type === "deadline" && event.name === "destroy") {
    const left = step === "objects" ? `Run ${facts.run} (not proven gone)` : `Stack of run ${facts.run}`;
    return settle(state, outcome, [left], [{ type: "stop" }]);
  }
  return late(state, event);
}

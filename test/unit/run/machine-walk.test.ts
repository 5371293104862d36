import { isDeepStrictEqual } from "node:util";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  diagram,
  type Effect,
  type EventType,
  type HeldState,
  type MachineEvent,
  type RunPhase,
  type RunState,
  reduce,
  TRANSITIONS,
} from "../../../jobs/run/machine.ts";
import { eventsFor, FOREGROUND, KEPT, reachable } from "./machine-walk.ts";

const STATES = [...reachable(), ...reachable(FOREGROUND), ...reachable(KEPT)];
/** What comes of every event in every state, found once: there are hundreds of thousands. */
const STEPS = STATES.map((state) => ({
  state,
  steps: eventsFor(state).map((event) => ({ event, ...reduce(state, event) })),
}));
const TERMINAL: ReadonlySet<RunPhase> = new Set([
  "succeeded",
  "suspended",
  "failed",
  "cancelled",
  "lost",
  "refused",
]);
/** Someone wants what could not be removed to be removed. */
const clearsUp = (state: RunState, event: MachineEvent): boolean =>
  event.type === "removalRequested" && "left" in state && state.left.length > 0;
const isHeld = (state: RunState): state is HeldState => "lease" in state;

/** What is wrong in any step of any state, at most ten of them. @param only Each so-manieth state. */
function problems(
  check: (state: RunState, event: MachineEvent, next: RunState, effects: readonly Effect[]) => boolean,
  only = 1,
): string[] {
  const found: string[] = [];
  for (const [index, { state, steps }] of STEPS.entries()) {
    if (index % only !== 0) continue;
    for (const { event, state: next, effects } of steps) {
      if (!check(state, event, next, effects)) {
        found.push(`${JSON.stringify(state)} + ${JSON.stringify(event)}`);
        if (found.length === 10) return found;
      }
    }
  }
  return found;
}

const types = (effects: readonly Effect[]): readonly Effect["type"][] => effects.map(({ type }) => type);

describe("in every state that any order of events leads to, after every event", () => {
  test("the walk has seen every phase", () => {
    expect(new Set(STATES.map(({ phase }) => phase))).toEqual(new Set(Object.keys(TRANSITIONS)));
    expect(STATES.length).toBeGreaterThan(1000);
  });

  test("the phase changes as the table says, and every arrow of the table is gone along", () => {
    const seen: Record<string, Partial<Record<EventType, Set<RunPhase>>>> = {};
    for (const { state, steps } of STEPS) {
      for (const { event, state: next } of steps) {
        const { phase } = next;
        if (phase === state.phase) continue;
        const from = (seen[state.phase] ??= {});
        (from[event.type] ??= new Set()).add(phase);
      }
    }
    const sorted = (phases: Iterable<RunPhase>): RunPhase[] => [...phases].sort();
    for (const [phase, events] of Object.entries(TRANSITIONS)) {
      const told = Object.entries(events).map(([event, to]) => [event, sorted(to)]);
      const found = Object.entries(seen[phase] ?? {}).map(([event, to]) => [event, sorted(to)]);
      expect(Object.fromEntries(found), phase).toEqual(Object.fromEntries(told));
    }
  });

  test("a terminal state stays as it is until what it left is to go; only a lease that nobody wants goes back", () => {
    expect(
      problems(
        (state, event, next, effects) =>
          !TERMINAL.has(state.phase) ||
          (clearsUp(state, event) && next.phase === "adrift" && "was" in next && next.was === "destroying") ||
          (next.phase === state.phase &&
            (effects.length === 0 ||
              (event.type === "leaseAcquired" && types(effects).join() === "releaseLease"))),
      ),
    ).toEqual([]);
  });

  test("whoever works on it has the newest lease, and what is in hand ends with a lost one", () => {
    expect(
      problems((state, event, next, effects) => {
        if (isHeld(next) && next.lease !== next.facts.fence) return false;
        if (event.type !== "leaseLost") return true;
        const lost = isHeld(state) && event.fence === state.lease;
        const wanted = state.facts.mode.kind === "foreground" ? "stop,acquireLease" : "stop";
        return lost
          ? next.phase === "adrift" && types(effects).join() === wanted
          : next === state && effects.length === 0;
      }),
    ).toEqual([]);
  });

  test("a lease is given back exactly when its holder stops working by its own will", () => {
    expect(
      problems((state, event, next, effects) => {
        const released = types(effects).includes("releaseLease");
        if (event.type === "leaseLost" || event.type === "helperRestarted") return !released;
        return !isHeld(state) || released === !isHeld(next);
      }),
    ).toEqual([]);
  });

  test("cancelling twice is cancelling once, and cancelling what is over does nothing", () => {
    for (const state of STATES) {
      const once = reduce(state, { type: "cancelRequested" });
      const twice = reduce(once.state, { type: "cancelRequested" });
      expect(twice).toEqual({ state: once.state, effects: [] });
    }
  });

  test("nothing is made any more once it is cancelled", () => {
    const makes: readonly Effect["type"][] = ["plan", "createStack", "up", "scheduleRetry"];
    expect(
      problems(
        (state, _event, _next, effects) =>
          !state.facts.cancelRequested || !types(effects).some((type) => makes.includes(type)),
      ),
    ).toEqual([]);
  });

  test("a success is one that the driver had", () => {
    expect(
      problems(
        (state, _event, next) =>
          next.phase !== "succeeded" ||
          state.phase === "succeeded" ||
          ("outcome" in state && state.outcome?.kind === "succeeded"),
      ),
    ).toEqual([]);
    expect(
      problems(
        (state, event, next) =>
          !("outcome" in next) ||
          next.outcome?.kind !== "succeeded" ||
          ("outcome" in state && state.outcome?.kind === "succeeded") ||
          (event.type === "verdict" && event.outcome.kind === "succeeded"),
      ),
    ).toEqual([]);
  });

  test("an answer to an earlier lease changes nothing, unless it is about the run itself", () => {
    expect(
      problems((state, event, next) => {
        if (!("fence" in event) || event.fence >= state.facts.fence) return true;
        return next === state || (event.type === "deadline" && event.name === "run");
      }),
    ).toEqual([]);
  });

  test("a foreground run whose helper died is not carried on, and a run that is to go is not tried again", () => {
    const carriesOn: readonly Effect["type"][] = ["plan", "createStack", "up", "watch", "scheduleRetry"];
    expect(
      problems((state, event, next, effects) => {
        if (event.type === "helperRestarted" && state.facts.mode.kind === "foreground")
          return TERMINAL.has(state.phase) || state.phase === "new" || state.phase === "kept"
            ? next === state
            : next.phase === "adrift" && next.facts.mode.kind === "removal" && next.outcome !== undefined;
        if (state.facts.mode.kind !== "removal") return true;
        return next.facts.mode.kind === "removal" && !types(effects).some((type) => carriesOn.includes(type));
      }),
    ).toEqual([]);
  });

  test("only a foreground run that never began is forgotten, and no outcome of it is reported", () => {
    expect(
      problems((state, _event, next, effects) => {
        const forgotten = types(effects).includes("forget");
        if (forgotten !== (next.phase === "refused" && state.phase !== "refused")) return false;
        return !forgotten || (state.facts.mode.kind === "foreground" && state.facts.attempt === 1);
      }),
    ).toEqual([]);
  });

  test("the run's end is reported when it comes, whoever brings it about", () => {
    expect(
      problems((state, _event, next, effects) => {
        const ends = TERMINAL.has(next.phase) && !TERMINAL.has(state.phase) && next.phase !== "refused";
        const keeps = next.phase === "kept" && state.phase !== "kept";
        return effects.some((effect) => effect.type === "report" && effect.final) === (ends || keeps);
      }),
    ).toEqual([]);
  });

  test("a stream is suspended by its savepoint alone, which is known before anything is destroyed", () => {
    const suspended = (state: RunState): string | undefined =>
      "outcome" in state && state.outcome?.kind === "suspended" ? state.outcome.savepoint : undefined;
    expect(
      problems((state, event, next, effects) => {
        if (next.phase === "suspended" && suspended(next) === undefined) return false;
        if (suspended(next) === undefined) return true;
        if (suspended(state) !== undefined) return suspended(state) === suspended(next);
        const says =
          (event.type === "savepointTaken" && event.savepoint === suspended(next)) ||
          (event.type === "verdict" && event.outcome.kind === "suspended");
        return says && !types(effects).includes("destroy");
      }),
    ).toEqual([]);
  });

  test("a suspend that fails, or takes too long, lets the stream run on, watched, and is said", () => {
    expect(
      problems((state, event, next, effects) => {
        const fails =
          state.phase === "suspending" &&
          "fence" in event &&
          event.fence === state.lease &&
          ((event.type === "failed" && event.step === "suspend") ||
            (event.type === "deadline" && event.name === "suspend"));
        const said = types(effects).includes("notSuspended");
        return fails ? next.phase === "running" && said && types(effects).includes("watch") : !said;
      }),
    ).toEqual([]);
  });

  test("a stream that was being suspended when its helper died is suspended by the same name", () => {
    const triggerIn = (state: RunState): string | undefined =>
      "trigger" in state ? state.trigger : undefined;
    expect(
      problems((state, event, next, effects) => {
        const recovers =
          state.phase === "recovering" && state.was === "suspending" && state.outcome === undefined;
        if (!recovers || event.type !== "recovered" || event.fence !== state.lease) return true;
        return (
          next.phase === "suspending" &&
          next.trigger === triggerIn(state) &&
          types(effects).join() === "watch,suspend"
        );
      }),
    ).toEqual([]);
    expect(
      problems(
        (state, event, next) =>
          state.phase !== "suspending" ||
          (event.type !== "leaseLost" && event.type !== "helperRestarted") ||
          next === state ||
          triggerIn(next) === state.trigger,
      ),
    ).toEqual([]);
  });

  test("is plain data: a helper that reads it from the ledger goes on as the one that wrote it", () => {
    const same = (state: RunState, event: MachineEvent): boolean =>
      isDeepStrictEqual(stored(reduce(stored(state), event)), stored(reduce(state, event)));
    expect(problems(same, 40)).toEqual([]);
  });
});

/** As it comes back from the ledger. */
const stored = <T>(value: T): T => z.custom<T>().parse(JSON.parse(JSON.stringify(value)));

/** How a helper that has no trouble answers an effect. */
function answer({ type }: Effect, fence: number): MachineEvent | undefined {
  switch (type) {
    case "acquireLease":
      return { type: "leaseAcquired", fence: fence + 1 };
    case "plan":
      return { type: "planned", fence };
    case "createStack":
      return { type: "stackCreated", fence };
    case "watch":
      return { type: "verdict", fence, outcome: { kind: "succeeded" } };
    case "suspend":
      return { type: "savepointTaken", fence, savepoint: "s3://acme-state/savepoints/savepoint-1" };
    case "recover":
      return { type: "recovered", fence };
    case "saveLogs":
      return { type: "logsSaved", fence };
    case "destroy":
      return { type: "destroyed", fence, left: [] };
    case "removeStack":
      return { type: "stackRemoved", fence };
    case "up":
    case "notSuspended":
    case "stop":
    case "releaseLease":
    case "scheduleRetry":
    case "report":
    case "forget":
      return undefined;
  }
}

test("wherever its helper died, a new one brings the run to its end within 40 steps, destroying what may exist", () => {
  for (const start of STATES) {
    let state = start;
    const pending: Effect[] = [...reduce(state, { type: "helperRestarted" }).effects];
    state = reduce(state, { type: "helperRestarted" }).state;
    const done: Effect["type"][] = [];
    const first: MachineEvent[] = [{ type: "submitted" }, { type: "claimed" }, { type: "removalRequested" }];
    for (let steps = 0; steps < 40 && !TERMINAL.has(state.phase); steps++) {
      const effect = pending.shift();
      // Nothing in hand: it is new, waits in the queue, or was kept.
      const events = effect === undefined ? first : [answer(effect, state.facts.fence)];
      if (effect !== undefined) done.push(effect.type);
      for (const event of events) {
        if (event === undefined) continue;
        const step = reduce(state, event);
        pending.push(...step.effects);
        ({ state } = step);
      }
    }
    const context = `${JSON.stringify(start)}: ${done.join()}`;
    expect(TERMINAL.has(state.phase), context).toBe(true);
    const mayExist = !TERMINAL.has(start.phase) && "was" in start && start.was !== "planning";
    if (mayExist || done.includes("createStack")) expect(done.includes("destroy"), context).toBe(true);
  }
});

test("the diagram has an arrow for each change, and all ends", () => {
  const text = diagram();
  expect(text).toContain("    queued --> planning: leaseAcquired\n");
  expect(text).toContain("    destroying --> queued: stackRemoved\n");
  expect(text).toContain("    waiting --> planning: retryDue\n");
  for (const phase of TERMINAL) expect(text).toContain(`    ${phase} --> [*]`);
});

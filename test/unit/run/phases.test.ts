import { describe, expect, test } from "vitest";
import { type AttemptStep, NEW_ATTEMPT, reduceAttempt, triesAgain } from "../../../jobs/run/phases.ts";

const at = (second: number): Date => new Date(Date.UTC(2026, 10, 24, 6, 0, second));
const after = (...steps: readonly AttemptStep[]) => steps.reduce(reduceAttempt, NEW_ATTEMPT);
const once = { user: 1, outOfMemory: 0, infrastructure: 2 };

describe("an attempt's state", () => {
  test("phases only go forward, whichever side tells them first", () => {
    const { phases } = after(
      { type: "entered", phase: "creating", at: at(1) },
      { type: "entered", phase: "running", at: at(2) },
      { type: "entered", phase: "starting", at: at(3) },
      { type: "entered", phase: "running", at: at(4) },
      { type: "entered", phase: "destroying", at: at(5) },
    );
    expect(phases.map(({ phase }) => phase)).toEqual(["creating", "running", "destroying"]);
  });

  test("the first verdict stays: a Ctrl-C after success does not make it a cancelled run", () => {
    const state = after(
      { type: "decided", outcome: { kind: "succeeded" }, at: at(1) },
      { type: "decided", outcome: { kind: "cancelled", message: "Ctrl-C" }, at: at(2) },
    );
    expect(state.outcome).toEqual({ kind: "succeeded" });
    expect(state.milestones.result).toEqual(at(1));
  });

  test("a milestone is the first time that it was reached", () => {
    const state = after(
      { type: "reached", milestone: "driverStarted", at: at(1) },
      { type: "reached", milestone: "driverStarted", at: at(2) },
    );
    expect(state.milestones.driverStarted).toEqual(at(1));
  });

  test("an ignored step gives the very same state, so that nobody is told of it", () => {
    const state = after({ type: "entered", phase: "running", at: at(1) });
    expect(reduceAttempt(state, { type: "entered", phase: "starting", at: at(2) })).toBe(state);
  });
});

describe("retries by class of failure", () => {
  test("a class's budget counts further attempts", () => {
    expect(triesAgain(once, ["user-failure"])).toBe(true);
    expect(triesAgain(once, ["user-failure", "user-failure"])).toBe(false);
  });

  test("each class has its own budget", () => {
    expect(triesAgain(once, ["infrastructure", "lost", "user-failure"])).toBe(true);
    expect(triesAgain(once, ["infrastructure", "user-failure", "lost", "infrastructure"])).toBe(false);
    expect(triesAgain(once, ["out-of-memory"])).toBe(false);
  });

  test.each(["succeeded", "cancelled", "deadline", "refused", "unschedulable", "image"] as const)(
    "%s is never tried again",
    (kind) => {
      expect(triesAgain({ user: 9, outOfMemory: 9, infrastructure: 9 }, [kind])).toBe(false);
    },
  );
});

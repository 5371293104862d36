import { expect, test } from "vitest";
import { buildReport } from "../../../jobs/report/index.ts";
import { restoreAttempt } from "../../../jobs/run/restore.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { Phase } from "../../../schema/report.ts";
import { samplePlans } from "../../harness/samples.ts";

const { pi } = samplePlans();
const BEGIN = Date.parse("2026-11-24T06:00:00Z");
const at = (seconds: number): string => new Date(BEGIN + seconds * 1000).toISOString();
const entered = (phase: Phase, seconds: number, attempt = 1): RunEvent => ({
  type: "phase",
  run: pi.run,
  attempt,
  phase,
  at: at(seconds),
  elapsedSeconds: seconds,
});
const created = (seconds: number): RunEvent => ({
  type: "resource",
  run: pi.run,
  at: at(seconds),
  operation: "create",
  kind: "kubernetes:batch/v1:Job",
  name: "spark-coordinator",
});
const seen = (events: readonly RunEvent[], now = BEGIN + 100_000, made = true) =>
  restoreAttempt(events, 1, { made, outcome: undefined, now });

test("an attempt's phases and marks are those of its own events", () => {
  const state = seen([
    entered("preparing", 0),
    created(2),
    created(3),
    entered("running", 9),
    entered("preparing", 50, 2),
    created(52),
  ]);
  expect(state.phases.map(({ phase }) => phase)).toEqual(["preparing", "running"]);
  expect(state.milestones).toEqual({ objectsExist: new Date(at(3)), driverStarted: new Date(at(9)) });
});

test("what was half made was not reached: it is made again", () => {
  expect(seen([entered("preparing", 0), created(2)], undefined, false).milestones).toEqual({});
});

test.each([
  ["back", -7200],
  ["forward", 7200],
])(
  "after a clock that jumped two hours %s no duration is negative or longer than the run took",
  (_how, jump) => {
    const events = [
      entered("preparing", 0),
      entered("creating", 2),
      entered("starting", 4 + jump),
      entered("running", 8 + jump),
    ];
    const now = BEGIN + 60_000;
    const { phases, milestones } = seen(events, now);
    const report = buildReport({
      plan: pi,
      outcome: { kind: "succeeded" },
      startedAt: new Date(BEGIN),
      endedAt: new Date(now),
      phases,
      milestones,
      observed: undefined,
      logs: [],
      left: [],
      kept: false,
    });
    const all = [
      ...report.phases.map(({ seconds }) => seconds),
      ...Object.values(report.milestones).filter((mark) => mark !== undefined),
    ];
    expect(Math.min(...all)).toBeGreaterThanOrEqual(0);
    expect(report.phases.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThanOrEqual(60);
  },
);

test("nor is there one where the run was submitted by a clock that is ahead", () => {
  const report = buildReport({
    plan: pi,
    outcome: { kind: "succeeded" },
    startedAt: new Date(BEGIN + 3_600_000),
    endedAt: new Date(BEGIN),
    phases: [{ phase: "preparing", at: new Date(BEGIN + 1000) }],
    milestones: { result: new Date(BEGIN) },
    observed: undefined,
    logs: [],
    left: [],
    kept: false,
  });
  expect([report.phases[0]?.seconds, report.milestones.result]).toEqual([0, 0]);
});

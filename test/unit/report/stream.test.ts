import { describe, expect, it } from "vitest";
import type { StreamSample } from "../../../jobs/flink/types.ts";
import {
  buildReport,
  plannedEvent,
  renderJson,
  renderMarkdown,
  renderReport,
  streamReport,
} from "../../../jobs/report/index.ts";
import { formatBytes, streamRows } from "../../../jobs/report/stream-words.ts";
import { nextCommands } from "../../../jobs/report/words.ts";
import { attemptsOf } from "../../../jobs/run/restore.ts";
import { nothingObserved } from "../../../jobs/watch/reduce.ts";
import { RunEvent } from "../../../schema/events.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import { RunReport } from "../../../schema/report.ts";
import { StreamReport } from "../../../schema/stream.ts";
import { flinkPlans } from "../../harness/samples.ts";
import { at, START } from "../watch/scenario.ts";
import { input } from "./sample.ts";

const FOLDER = "s3://demo-output/flink-state/flink-stream/savepoints";
const restore = {
  location: `${FOLDER}/savepoint-1`,
  kind: "savepoint",
  allowNonRestoredState: false,
} as const;
const plan = (): FlinkPlan => ({ ...flinkPlans()["flink-stream"], restore });

const look = (second: number, id: number, change: Partial<StreamSample> = {}): StreamSample => ({
  at: at(second),
  state: "RUNNING",
  uptimeMs: second * 1000,
  restarts: 1,
  checkpoints: {
    completed: id,
    failed: 1,
    lastBytes: 10_000 + id * 1000,
    lastDurationMs: 250 * id,
    lastAt: at(second - 3),
    lastId: id,
    mean: { bytes: 13_000.4, durationMs: 750 },
  },
  recordsIn: second * 200,
  recordsOut: second * 200 - 100,
  pendingRecords: undefined,
  lagMs: undefined,
  parallelism: 4,
  ...change,
});

const SAMPLES = [look(30, 1), look(100, 3), look(150, 5), look(160, 5)];
const savepoints = [
  {
    location: `${FOLDER}/savepoint-2`,
    kind: "savepoint",
    reason: "suspend",
    at: "2026-11-24T06:02:45.000Z",
    attempt: 1,
  },
] as const;

const report = (outcome: Outcome, newest?: StreamReport["newest"]): RunReport =>
  RunReport.parse(
    buildReport(
      input([], {
        plan: plan(),
        outcome,
        observed: { ...nothingObserved, stream: SAMPLES },
        stream: { savepoints: [...savepoints], newest },
      }),
    ),
  );

const SUSPENDED: Outcome = {
  kind: "suspended",
  savepoint: `${FOLDER}/savepoint-2`,
  message: `The stream was suspended; its state is ${FOLDER}/savepoint-2.`,
};

describe("a stream's report", () => {
  it("holds what Flink told last, rates of the last minute, and how large and quick checkpoints are", () => {
    expect(report(SUSPENDED).stream).toEqual({
      at: "2026-11-24T06:02:40.000Z",
      state: "RUNNING",
      uptimeSeconds: 160,
      restarts: 1,
      parallelism: 4,
      checkpoints: {
        completed: 5,
        failed: 1,
        last: { id: 5, at: "2026-11-24T06:02:37.000Z", bytes: 15_000, seconds: 1.25 },
        mean: { of: 5, bytes: 13_000, seconds: 0.75 },
      },
      records: { in: 32_000, out: 31_900, inPerSecond: 200, outPerSecond: 200 },
      startedFrom: { location: `${FOLDER}/savepoint-1`, kind: "savepoint" },
      savepoints,
      unhealthy: [],
    });
  });

  it("names the lag where a source tells it", () => {
    const behind = look(160, 5, { pendingRecords: 1200, lagMs: 4200 });
    expect(streamReport([behind], { savepoints: [] }).lag).toEqual({ records: 1200, seconds: 4.2 });
  });

  it("has no rate over a restart, by which Flink's counters begin anew", () => {
    const again = look(160, 5, { restarts: 2, recordsIn: 900, recordsOut: 900 });
    expect(streamReport([look(150, 5), again], { savepoints: [] }).records).toEqual({ in: 900, out: 900 });
  });

  it("has the rate since what was told before where it was looked at once, unless it got another size meanwhile", () => {
    const before = streamReport([look(100, 3)], { savepoints: [] });
    const rates = { inPerSecond: 200, outPerSecond: 200 };
    expect(streamReport([look(3700, 90)], { savepoints: [], before }).records).toMatchObject(rates);
    const larger = look(3700, 90, { parallelism: 6 });
    expect(streamReport([larger], { savepoints: [], before }).records).not.toHaveProperty("inPerSecond");
  });

  it("says nothing of numbers that nobody told", () => {
    const unknown = StreamReport.parse(streamReport([], { savepoints: [] }));
    expect(unknown).toEqual({ savepoints: [], unhealthy: [] });
    expect(streamRows(unknown)).toEqual([
      ["job", "Flink never answered: its numbers are unknown"],
      ["started from", "no state"],
    ]);
  });

  it("tells why a stream is not well", () => {
    const failing = [look(30, 1, { restarts: 0 }), look(160, 1, { restarts: 9 })];
    const { unhealthy } = streamReport(failing, { savepoints: [] });
    expect(unhealthy).toEqual(["Flink restarted its job 9 times in 2 min."]);
  });

  it("is JSON that its schema reads", () => {
    expect(RunReport.parse(JSON.parse(renderJson(report(SUSPENDED))))).toEqual(report(SUSPENDED));
  });

  it.each([
    ["terminal", (of: RunReport) => renderReport(of, { colour: false, width: 100 })],
    ["markdown", renderMarkdown],
  ])("is told on a %s", async (name, render) => {
    await expect(render(report(SUSPENDED))).toMatchFileSnapshot(`golden/stream-${name}.txt`);
  });

  it("ends with the command that goes on", () => {
    const { run } = plan();
    expect(nextCommands(report(SUSPENDED), undefined)[0]).toBe(`npx mayfly resume ${run}`);
    const newest = {
      location: "s3://acme-lake/chk-7",
      kind: "checkpoint",
      at: "2026-11-24T06:02:00.000Z",
    } as const;
    const failed: Outcome = { kind: "lost", message: "Pod coordinator-x7k2p was deleted." };
    expect(nextCommands(report(failed, newest), undefined)[0]).toBe(
      `npx mayfly resume ${run} --from s3://acme-lake/chk-7`,
    );
  });

  it("without state ends with no option that streams refuse", () => {
    const thrown: Outcome = { kind: "user-failure", exitCode: 1, message: "The job failed." };
    expect(nextCommands(report(thrown), "clicks.yaml")).toContain("npx mayfly run clicks.yaml");
  });
});

describe("what a stream's attempts started from", () => {
  it("is in the event of the plan, and with each attempt that the events tell of", () => {
    const planned = plannedEvent(plan(), new Date(START));
    expect(RunEvent.parse(planned)).toMatchObject({ from: { location: restore.location } });
    const fromNothing = { ...planned, from: undefined };
    const common = { at: planned.at, run: planned.run } as const;
    const phase = (attempt: number) =>
      ({ type: "phase", ...common, attempt, phase: "preparing", elapsedSeconds: 0 }) as const;
    const attempts = attemptsOf([fromNothing, phase(1), planned, phase(2)]);
    expect(attempts.map(({ startedFrom }) => startedFrom?.location)).toEqual([undefined, restore.location]);
  });

  it("is told of those before", () => {
    const earlier = [
      {
        attempt: 1,
        startedAt: "2026-11-24T06:00:00.000Z",
        outcome: { kind: "lost", message: "Its node went away." },
        startedFrom: { location: restore.location, kind: "savepoint" },
      },
    ] as const;
    const text = renderReport(
      { ...report(SUSPENDED), attempt: 2, earlier: [...earlier] },
      { colour: false, width: 300 },
    );
    expect(text).toContain(`Attempt 1, from savepoint ${restore.location}: lost. Its node went away.`);
  });
});

describe("sizes", () => {
  it.each([
    [0, "0 B"],
    [830, "830 B"],
    [12_700, "12.4 KiB"],
    [3_250_586, "3.1 MiB"],
    [1_288_490_189, "1.2 GiB"],
  ])("%i bytes are %s", (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

import { describe, expect, it } from "vitest";
import type { StreamSample } from "../../../jobs/flink/types.ts";
import { checkpointingOf, checkpointWindowMs, healthTeller, troublesOf } from "../../../jobs/watch/health.ts";

const START = Date.parse("2026-11-24T06:00:00Z");
const MINUTE = 60_000;
const QUICK = { interval: 30, timeout: 60, tolerableFailures: 0 };

type Change = Omit<Partial<StreamSample>, "checkpoints"> & {
  readonly checkpoints?: Partial<StreamSample["checkpoints"]>;
};

/** A stream that is well, so many minutes after its start. */
const sample = (minute: number, change: Change = {}): StreamSample => ({
  at: START + minute * MINUTE,
  state: "RUNNING",
  uptimeMs: minute * MINUTE,
  restarts: 0,
  recordsIn: minute * 12_000,
  recordsOut: minute * 12_000,
  pendingRecords: undefined,
  lagMs: undefined,
  parallelism: 4,
  ...change,
  checkpoints: {
    completed: minute,
    failed: 0,
    lastBytes: 20_000,
    lastDurationMs: 400,
    lastAt: START + minute * MINUTE,
    lastId: minute,
    ...change.checkpoints,
  },
});

const kinds = (samples: readonly StreamSample[]): string[] =>
  troublesOf(samples, QUICK).map(({ kind }) => kind);

describe("a stream", () => {
  it("is well while it runs and completes checkpoints, and where nothing is known yet", () => {
    expect(troublesOf([], QUICK)).toEqual([]);
    expect(troublesOf([sample(1), sample(2), sample(600)], QUICK)).toEqual([]);
  });

  it("is not well once Flink restarted it more than five times in ten minutes", () => {
    expect(kinds([sample(1), sample(9, { restarts: 5 })])).toEqual([]);
    expect(troublesOf([sample(1), sample(9, { restarts: 6 })], QUICK)).toEqual([
      { kind: "restarts", message: "Flink restarted its job 6 times in 8 min." },
    ]);
  });

  it("is well when its many restarts are spread over days, or were before", () => {
    const calm = [0, 400, 800].map((minute) => sample(minute, { restarts: minute / 100 }));
    expect(kinds(calm)).toEqual([]);
    expect(kinds([sample(1, { restarts: 40 }), sample(12, { restarts: 40 })])).toEqual([]);
  });

  it("counts restarts from 0 where its JobManager was started again", () => {
    expect(kinds([sample(1, { restarts: 30 }), sample(3, { restarts: 2 })])).toEqual([]);
  });

  it("is not well after more than five minutes in which it did not run", () => {
    const waits = { state: "CREATED", checkpoints: { lastAt: START + 20 * MINUTE } } as const;
    expect(kinds([sample(20), sample(24, waits)])).toEqual([]);
    expect(troublesOf([sample(20), sample(24, waits), sample(26, waits)], undefined)).toEqual([
      { kind: "stopped", message: "Flink's job has not run for 6 min: it is CREATED." },
    ]);
  });

  it("is not well without a completed checkpoint for five minutes, counted from its start where there was none", () => {
    const none = { checkpoints: { lastAt: undefined, lastId: undefined, completed: 0, failed: 3 } };
    expect(kinds([sample(0, none), sample(5, none)])).toEqual([]);
    expect(troublesOf([sample(0, none), sample(6, none)], QUICK)).toEqual([
      {
        kind: "checkpoints",
        message:
          "No checkpoint was completed for 6 min, and 3 have failed: after a failure the stream goes back so far.",
      },
    ]);
    expect(kinds([sample(0), sample(30, { checkpoints: { lastAt: START + 20 * MINUTE } })])).toEqual([
      "checkpoints",
    ]);
  });

  it("has more time for checkpoints where its own settings let them take longer, or fail", () => {
    expect(checkpointWindowMs(QUICK)).toBe(5 * MINUTE);
    // Flink's own ten minutes, twice.
    expect(checkpointWindowMs({ interval: 60, timeout: 600, tolerableFailures: 0 })).toBe(20 * MINUTE);
    expect(checkpointWindowMs({ interval: 60, timeout: 600, tolerableFailures: 3 })).toBe(50 * MINUTE);
    const checkpoints = {
      location: "s3://acme-lake/state/",
      interval: "1m",
      timeout: "10m",
      retained: 3,
      tolerableFailures: 3,
      unaligned: false,
    };
    expect(checkpointingOf({ checkpoints })).toEqual({ interval: 60, timeout: 600, tolerableFailures: 3 });
  });
});

describe("who looks after a stream", () => {
  it("is told of each trouble once, and when all is well again", () => {
    const told: string[] = [];
    const tell = healthTeller(QUICK, (message) => told.push(message));
    const late = { checkpoints: { lastAt: START } };
    tell([sample(0)]);
    tell([sample(0), sample(6, late)]);
    tell([sample(0), sample(7, late)]);
    expect(told).toEqual([
      "The stream is not well: No checkpoint was completed for 6 min, and 0 have failed: after a failure the stream goes back so far.",
    ]);
    tell([sample(0), sample(8)]);
    tell([sample(0), sample(9)]);
    expect(told.slice(1)).toEqual(["The stream is well again."]);
  });
});

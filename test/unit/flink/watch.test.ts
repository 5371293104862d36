import { describe, expect, test } from "vitest";
import { readCheckpoints, readJob } from "../../../jobs/flink/answers.ts";
import { addSample } from "../../../jobs/flink/samples.ts";
import { judge, noteSample, nothingKnown, pickMetrics } from "../../../jobs/flink/stream-watch.ts";
import type { StreamSample } from "../../../jobs/flink/types.ts";
import { watchStream } from "../../../jobs/flink/watch.ts";
import { fakeFlink, job, jobAs, noJob, recorded, type Script } from "./fake-flink.ts";

const running = readJob(recorded("2.3.0", "job"));
const [SOURCE, COUNT] = ["ca88eee0095684d687a1b6495617f957", "b71731f1c0df9c3076c4a455334d0ad6"] as const;

async function watched(script: Script, until: (told: Told) => boolean = () => false) {
  const told: Told = { healthy: 0, samples: [], warnings: [] };
  const abort = new AbortController();
  const check = (): void => {
    if (until(told)) abort.abort();
  };
  await using flink = await fakeFlink({
    "GET /checkpoints": [{ body: recorded("2.3.0", "checkpoints") }],
    "GET /metrics": [{ body: [{ id: "numRestarts", value: "0" }] }],
    [`GET /vertices/${SOURCE}/subtasks/metrics`]: [
      { body: [{ id: "Source__numbers.numRecordsOut" }, { id: "Source__numbers.pendingRecords" }] },
    ],
    [`GET /vertices/${SOURCE}/subtasks/metrics?get=Source__numbers.numRecordsOut,Source__numbers.pendingRecords&agg=sum`]:
      [
        {
          body: [
            { id: "Source__numbers.numRecordsOut", sum: 1300 },
            { id: "Source__numbers.pendingRecords", sum: 7 },
          ],
        },
      ],
    [`GET /vertices/${COUNT}/subtasks/metrics`]: [{ body: [{ id: "files__Writer.numRecordsSend" }] }],
    [`GET /vertices/${COUNT}/subtasks/metrics?get=files__Writer.numRecordsSend&agg=sum`]: [
      { body: [{ id: "files__Writer.numRecordsSend", sum: 1200 }] },
    ],
    "GET /exceptions": [
      {
        body: {
          exceptionHistory: {
            entries: [{ stacktrace: "a.B: outer\nCaused by: java.io.IOException: no disk" }],
          },
        },
      },
    ],
    ...script,
  });
  const outcome = await watchStream(flink.rest, {
    signal: abort.signal,
    pollMs: { starting: 5, running: 5 },
    onHealthy: () => {
      told.healthy++;
      check();
    },
    onSample: (sample) => {
      told.samples.push(sample);
      check();
    },
    onWarning: (warning) => told.warnings.push(warning),
  });
  return { outcome, ...told };
}
interface Told {
  healthy: number;
  readonly samples: StreamSample[];
  readonly warnings: string[];
}

const starting = jobAs({ vertices: [] });

describe("watching a stream", () => {
  test("it is healthy once, when all tasks run: not when Flink first says RUNNING", async () => {
    const { healthy, outcome, samples } = await watched(
      { "GET /": ["away", noJob, starting, job("RUNNING")] },
      ({ samples }) => samples.length === 3,
    );
    expect(healthy).toBe(1);
    expect(outcome).toBeUndefined();
    expect(samples[0]).toMatchObject({
      state: "RUNNING",
      restarts: 0,
      recordsIn: 1300,
      recordsOut: 1200,
      pendingRecords: 7,
      lagMs: undefined,
      parallelism: 2,
      checkpoints: { completed: readCheckpoints(recorded("2.3.0", "checkpoints")).completed },
    });
  });

  test("a failed job is the user's failure, with Flink's root exception", async () => {
    const { outcome } = await watched({ "GET /": [job("RUNNING"), job("FAILED")] });
    expect(outcome).toMatchObject({ kind: "user-failure", exception: "java.io.IOException: no disk" });
  });

  test("a main method that throws is known before any task ran", async () => {
    const { outcome, healthy } = await watched({ "GET /": [jobAs({ state: "FAILED", vertices: [] })] });
    expect(healthy).toBe(0);
    expect(outcome?.kind).toBe("user-failure");
  });

  test("a stream that ended by itself has succeeded, and that is said", async () => {
    const { outcome, warnings } = await watched({ "GET /": [{ body: recorded("2.3.0", "job-finished") }] });
    expect(outcome).toEqual({ kind: "succeeded" });
    expect(warnings).toEqual(["The stream ended by itself: Flink says FINISHED."]);
  });

  test("a cancelled job is cancelled", async () => {
    const { outcome } = await watched({ "GET /": [job("CANCELED")] });
    expect(outcome?.kind).toBe("cancelled");
  });

  test("a REST that does not answer is no verdict", async () => {
    const abort = AbortSignal.timeout(200);
    await using flink = await fakeFlink({ "GET /": ["away"] });
    const outcome = await watchStream(flink.rest, {
      signal: abort,
      pollMs: { starting: 5, running: 5 },
      onHealthy: () => undefined,
    });
    expect(outcome).toBeUndefined();
    expect(flink.asked.length).toBeGreaterThan(3);
  });

  test("restarts are told with their reason, a rescale is none", async () => {
    const { warnings, samples } = await watched(
      {
        "GET /": [job("RUNNING")],
        "GET /metrics": [
          {
            body: [
              { id: "numRestarts", value: "1" },
              { id: "numRescales", value: "1" },
            ],
          },
          {
            body: [
              { id: "numRestarts", value: "2" },
              { id: "numRescales", value: "2" },
            ],
          },
          {
            body: [
              { id: "numRestarts", value: "4" },
              { id: "numRescales", value: "2" },
            ],
          },
        ],
      },
      ({ samples: taken }) => taken.length === 4,
    );
    expect(samples.map(({ restarts }) => restarts)).toEqual([0, 0, 2, 2]);
    expect(warnings).toEqual(["Flink restarted the job 2 times: java.io.IOException: no disk"]);
  });

  test("metrics that are not there yet leave the job's own counts", async () => {
    const { samples } = await watched(
      {
        "GET /": [job("RUNNING")],
        [`GET /vertices/${SOURCE}/subtasks/metrics`]: [{ body: [] }],
        [`GET /vertices/${COUNT}/subtasks/metrics`]: [{ body: [] }],
      },
      ({ samples: taken }) => taken.length === 1,
    );
    expect(samples[0]).toMatchObject({ recordsIn: running.vertices[0]?.written, pendingRecords: undefined });
  });
});

describe("silence", () => {
  const healthy = { ...nothingKnown, healthy: true };
  const away = { type: "away", message: "Flink's JobManager does not answer: it is away" } as const;

  test("is told once after half a minute, and its end", () => {
    let known = judge(healthy, away, 0).known;
    expect(judge(known, away, 29_000).warnings).toEqual([]);
    const told = judge(known, away, 31_000);
    expect(told.warnings).toEqual(["Flink's JobManager does not answer: it is away (for 31 s)."]);
    known = told.known;
    expect(judge(known, away, 40_000).warnings).toEqual([]);
    expect(judge(known, { type: "job", job: running }, 41_000).warnings).toEqual([
      "Flink's JobManager answers again.",
    ]);
  });

  test("is not told before the stream is healthy: starting takes its time", () => {
    const { known } = judge(nothingKnown, away, 0);
    expect(judge(known, away, 100_000)).toMatchObject({ warnings: [], outcome: undefined });
  });

  test("is never a verdict, but a JobManager that has lost its job for two minutes is", () => {
    expect(judge(judge(healthy, away, 0).known, away, 9e6).outcome).toBeUndefined();
    const lost = { type: "no-job", message: "Job not found" } as const;
    const { known } = judge(healthy, lost, 0);
    expect(judge(known, lost, 119_000).outcome).toBeUndefined();
    expect(judge(known, lost, 121_000).outcome).toMatchObject({ kind: "infrastructure" });
    // In between it was away: a new JobManager that has not got its job yet.
    expect(judge(judge(known, away, 60_000).known, lost, 130_000).outcome).toBeUndefined();
  });
});

const SAMPLE: StreamSample = {
  at: 0,
  state: "RUNNING",
  uptimeMs: 1,
  restarts: 0,
  checkpoints: { completed: 1, failed: 2, lastBytes: 1, lastDurationMs: 1, lastAt: 1, lastId: 1 },
  recordsIn: 0,
  recordsOut: 0,
  pendingRecords: undefined,
  lagMs: undefined,
  parallelism: 1,
};

test("a failed checkpoint is told with Flink's reason; those from before the watch are not", () => {
  const checkpoints = {
    ...readCheckpoints(recorded("2.3.0", "checkpoints")),
    failed: 2,
    lastFailure: { id: 7, at: 0, message: "Checkpoint expired before completing." },
  };
  const first = noteSample(nothingKnown, SAMPLE, checkpoints, undefined);
  expect(first.warnings).toEqual([]);
  expect(noteSample(first.known, SAMPLE, { ...checkpoints, failed: 3 }, undefined).warnings).toEqual([
    "Checkpoint 7 failed: Checkpoint expired before completing.",
  ]);
});

test("records are counted at the outer ends, whatever the sink's kind", () => {
  const names = [
    "Source__orders.numRecordsOut",
    "map.numRecordsOut",
    "Source__orders.currentFetchEventTimeLag",
  ];
  expect(pickMetrics([...names, "files__Writer.numRecordsSend", "Sink__x.numRecordsIn"])).toEqual({
    given: ["Source__orders.numRecordsOut"],
    taken: ["files__Writer.numRecordsSend"],
    pending: [],
    lag: ["Source__orders.currentFetchEventTimeLag"],
  });
  expect(pickMetrics(["Sink__x.numRecordsIn", "map.numRecordsIn"]).taken).toEqual(["Sink__x.numRecordsIn"]);
});

test("samples of months keep their start, their present and a bound", () => {
  let kept: readonly StreamSample[] | undefined;
  for (let time = 0; time < 5000; time++) kept = addSample(kept, { ...SAMPLE, at: time }, 64);
  expect(kept?.length).toBeLessThanOrEqual(64);
  expect(kept?.[0]?.at).toBe(0);
  expect(kept?.slice(-10).map((sample) => sample.at)).toEqual(
    [...Array(10).keys()].map((index) => 4990 + index),
  );
});

test("a signal that is aborted already ends the watch at once", async () => {
  await using flink = await fakeFlink({ "GET /": ["slow"] });
  const options = { onHealthy: () => undefined, signal: AbortSignal.abort() };
  expect(await watchStream(flink.rest, options)).toBeUndefined();
});

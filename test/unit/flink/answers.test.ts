import { describe, expect, test } from "vitest";
import {
  failureText,
  readCheckpoints,
  readErrors,
  readJob,
  readMetrics,
  readRequirements,
  readRootException,
  readTrigger,
} from "../../../jobs/flink/answers.ts";
import { containing } from "../../harness/expect.ts";
import { recorded } from "./fake-flink.ts";

describe.each(["2.3.0", "1.20.1"] as const)("what Flink %s answered on the lab", (version) => {
  test("tells of a job its state, vertices, and which of them are sources and sinks", () => {
    const job = readJob(recorded(version, "job"));
    expect(job).toMatchObject({
      state: "RUNNING",
      sources: ["ca88eee0095684d687a1b6495617f957"],
      sinks: ["b71731f1c0df9c3076c4a455334d0ad6"],
      vertices: [
        { name: "Source: numbers -> until", parallelism: 1, maxParallelism: 128 },
        { parallelism: 2, maxParallelism: 128 },
      ],
    });
    expect(job.vertices.map(({ tasks }) => tasks["RUNNING"])).toEqual([1, 2]);
    expect(job.now - job.startedAt).toBeCloseTo(job.uptimeMs, -3);
  });

  test("tells of checkpoints the counts and the last one, with its location", () => {
    const checkpoints = readCheckpoints(recorded(version, "checkpoints"));
    expect(checkpoints.completed).toBeGreaterThan(0);
    expect(checkpoints.last?.location).toMatch(/^s3:\/\/demo-output\/.*\/chk-\d+$/);
    expect(checkpoints.last?.bytes).toBeGreaterThan(0);
  });

  test("tells no root exception where nothing failed", () => {
    expect(readRootException(recorded(version, "exceptions"))).toBeUndefined();
  });

  test("gives the bounds of vertices, and metrics as numbers", () => {
    expect(readRequirements(recorded(version, "resource-requirements"))).toEqual({
      ca88eee0095684d687a1b6495617f957: { lower: 1, upper: 1 },
      b71731f1c0df9c3076c4a455334d0ad6: { lower: 1, upper: 2 },
    });
    expect(readMetrics(recorded(version, "job-metrics"))["numRestarts"]).toBeGreaterThanOrEqual(0);
  });

  test("calls a savepoint complete that has failed: its failure-cause says why", () => {
    expect(readTrigger(recorded(version, "savepoint-failed"))).toEqual({
      kind: "failed",
      message: "com.amazonaws.services.s3.model.AmazonS3Exception: The specified bucket does not exist.",
    });
  });

  test("says in one line what it has not got", () => {
    expect(readErrors(recorded(version, "trigger-forgotten"))).toMatch(
      /RestHandlerException: There is no savepoint operation with triggerId=0{30}09 for job/,
    );
    expect(readErrors(recorded(version, "job-not-found"))).toMatch(/Could not find Flink job/);
  });
});

test("of a lost TaskManager the root exception is the newest of the history", () => {
  expect(readRootException(recorded("1.20.1", "exceptions-lost-worker"))).toMatch(/^\S+Exception: /);
});

test("a savepoint that is complete has its location", () => {
  expect(readTrigger(recorded("2.3.0", "savepoint-completed"))).toMatchObject({
    kind: "completed",
    location: containing("/savepoints/savepoint-72e621-"),
  });
});

test.each([{}, { operation: null }, { operation: {} }, { operation: { location: "" } }])(
  "COMPLETED without a location is a failure: %j",
  (rest) => {
    expect(readTrigger({ status: { id: "COMPLETED" }, ...rest })).toMatchObject({ kind: "failed" });
  },
);

test("a metric that is no number is left out", () => {
  expect(readMetrics([{ id: "lag", max: "NaN" }, { id: "sum", sum: 3 }, { id: "none" }])).toEqual({ sum: 3 });
});

test("of a chain of exceptions the last that says something is told", () => {
  const trace =
    "java.util.concurrent.CompletionException: a.B: outer\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: disk full\n\tat x\nCaused by: java.io.EOFException\n\t... 3 more";
  expect(failureText(trace, "")).toBe("java.io.IOException: disk full");
});

import { describe, expect, test } from "vitest";
import { readJob } from "../../../jobs/flink/answers.ts";
import { isRunning, rescaleJob, wantedBounds } from "../../../jobs/flink/rescale.ts";
import type { FlinkVertex } from "../../../jobs/flink/types.ts";
import { fakeFlink, jobAs, never, recorded, type Script } from "./fake-flink.ts";

const vertex = (
  id: string,
  parallelism: number,
  maxParallelism = 128,
  running = parallelism,
): FlinkVertex => ({
  id,
  name: id,
  parallelism,
  maxParallelism,
  tasks: { RUNNING: running, INITIALIZING: parallelism - running },
  read: 0,
  written: 0,
});

describe("what a rescale asks for", () => {
  test("operators that have as many as any follow; those with fewer of their own keep them", () => {
    const bounds = { source: { upper: 1 }, count: { upper: 4 }, sink: { upper: 4 } };
    const job = { vertices: [vertex("source", 1), vertex("count", 4), vertex("sink", 4)] };
    expect(wantedBounds(bounds, job, 8)).toEqual({ source: 1, count: 8, sink: 8 });
    expect(wantedBounds(bounds, job, 2)).toEqual({ source: 1, count: 2, sink: 2 });
  });

  test("no operator gets more than its maximum parallelism", () => {
    const job = { vertices: [vertex("count", 4, 6)] };
    expect(wantedBounds({ count: { upper: 4 } }, job, 8)).toEqual({ count: 6 });
  });

  test("with all at one nobody can tell which of them follow", () => {
    const job = { vertices: [vertex("source", 1), vertex("count", 1)] };
    expect(wantedBounds({ source: { upper: 1 }, count: { upper: 1 } }, job, 2)).toBeUndefined();
  });
});

test("a job runs when all its tasks do, or have done what they had to", () => {
  const job = readJob(recorded("2.3.0", "job"));
  expect(isRunning(job)).toBe(true);
  expect(isRunning({ ...job, state: "RESTARTING" })).toBe(false);
  expect(isRunning({ ...job, vertices: [] })).toBe(false);
  expect(isRunning({ ...job, vertices: [vertex("count", 4, 128, 3)] })).toBe(false);
  const done = { ...vertex("read", 2), tasks: { FINISHED: 2 } };
  expect(isRunning({ ...job, vertices: [done, vertex("count", 4)] })).toBe(true);
});

const [SOURCE, COUNT] = ["ca88eee0095684d687a1b6495617f957", "b71731f1c0df9c3076c4a455334d0ad6"] as const;
const jobWith = (parallelism: number, running = parallelism) =>
  jobAs({
    vertices: [vertex(SOURCE, 1), vertex(COUNT, parallelism, 128, running)].map(
      ({ id, name, tasks, ...more }) => ({
        id,
        name,
        tasks,
        parallelism: more.parallelism,
        maxParallelism: more.maxParallelism,
      }),
    ),
  });

async function rescaled(script: Script, timeoutMs = 10_000) {
  await using flink = await fakeFlink({
    "GET /resource-requirements": [{ body: recorded("2.3.0", "resource-requirements") }],
    "PUT /resource-requirements": [{ body: {} }],
    ...script,
  });
  const result = await rescaleJob(flink.rest, 4, { signal: never, timeoutMs, pollMs: 5 });
  return { result, puts: flink.asked.filter(({ route }) => route.startsWith("PUT")) };
}

describe("rescaling in place", () => {
  test("waits until all tasks run with the new parallelism", async () => {
    const { result, puts } = await rescaled({ "GET /": [jobWith(2), jobWith(2), jobWith(4, 3), jobWith(4)] });
    expect(result).toEqual({ kind: "rescaled", parallelism: 4 });
    expect(puts.map(({ body }) => body)).toEqual([
      {
        [SOURCE]: { parallelism: { lowerBound: 1, upperBound: 1 } },
        [COUNT]: { parallelism: { lowerBound: 1, upperBound: 4 } },
      },
    ]);
  });

  test("asked for what it has already asks nobody again", async () => {
    const asked = {
      [SOURCE]: { parallelism: { lowerBound: 1, upperBound: 1 } },
      [COUNT]: { parallelism: { lowerBound: 1, upperBound: 4 } },
    };
    const { result, puts } = await rescaled({
      "GET /resource-requirements": [{ body: asked }],
      "GET /": [jobWith(4)],
    });
    expect(result.kind).toBe("rescaled");
    expect(puts).toEqual([]);
  });

  test("says why where the job's scheduler can't", async () => {
    const { result } = await rescaled({
      "GET /": [jobWith(2)],
      "PUT /resource-requirements": [
        { status: 400, body: { errors: ["x.RestHandlerException: not adaptive"] } },
      ],
    });
    expect(result).toEqual({
      kind: "refused",
      message: "Flink refuses it (400): x.RestHandlerException: not adaptive",
    });
  });

  test("says with how many it runs where slots do not come in time", async () => {
    const { result } = await rescaled({ "GET /": [jobWith(2)] }, 200);
    expect(result).toMatchObject({ kind: "timeout", parallelism: 2 });
  });

  test("outlives a JobManager that is away for a moment", async () => {
    const { result } = await rescaled({ "GET /": [jobWith(2), "away", jobWith(4)] });
    expect(result.kind).toBe("rescaled");
  });

  test("of a job that has ended is refused", async () => {
    const { result } = await rescaled({ "GET /": [jobWith(2), jobAs({ state: "FAILED" })] });
    expect(result).toEqual({ kind: "refused", message: "The job is FAILED." });
  });
});

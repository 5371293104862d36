import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  savepointFormat,
  stopWithSavepoint,
  takeSavepoint,
  triggerId,
} from "../../../jobs/flink/savepoint.ts";
import {
  type SavepointAnswer,
  savepointNext,
  savepointStart,
} from "../../../jobs/flink/savepoint-machine.ts";
import { containing } from "../../harness/expect.ts";
import { planOf, stream } from "../plan/flink-sample.ts";
import {
  accepted,
  completed,
  fakeFlink,
  forgotten,
  inProgress,
  job,
  never,
  noJob,
  recorded,
  type Script,
} from "./fake-flink.ts";

const plan = planOf(stream());
const TAKEN = "s3://acme-data/state/nightly-orders/savepoints/savepoint-72e621-0123456789ab";
const failed = { body: recorded("2.3.0", "savepoint-failed") };
const notRunning = (message: string) => ({
  body: {
    status: { id: "COMPLETED" },
    operation: { "failure-cause": { class: "x", "stack-trace": `a.b.CheckpointException: ${message}` } },
  },
});

const options = { trigger: "wish-1", timeoutMs: 20_000, pollMs: 5, signal: never };

async function stopped(script: Script, more: Partial<Parameters<typeof stopWithSavepoint>[2]> = {}) {
  await using flink = await fakeFlink(script);
  const result = await stopWithSavepoint(flink.rest, plan, { ...options, ...more });
  return { result, asked: flink.asked.map(({ route, body }) => ({ route, body })) };
}

describe("stopping with a savepoint", () => {
  test("polls until the location is there; never drains; its body is in camel case", async () => {
    const { result, asked } = await stopped({
      "POST /stop": [accepted],
      "GET /savepoints/TRIGGER": [inProgress, inProgress, completed(TAKEN)],
    });
    expect(result).toEqual({ kind: "taken", location: TAKEN });
    expect(asked[0]).toEqual({
      route: "POST /stop",
      body: {
        targetDirectory: "s3://acme-data/state/nightly-orders/savepoints",
        drain: false,
        formatType: "NATIVE",
        triggerId: triggerId("wish-1"),
      },
    });
    expect(asked).toHaveLength(4);
  });

  test("that is COMPLETED with a failure-cause has failed, and the job goes on", async () => {
    const { result } = await stopped({
      "POST /stop": [accepted],
      "GET /savepoints/TRIGGER": [failed],
      "GET /": [job("RUNNING")],
    });
    expect(result).toEqual({
      kind: "failed",
      message: "com.amazonaws.services.s3.model.AmazonS3Exception: The specified bucket does not exist.",
    });
  });

  test("that is COMPLETED without a location has failed", async () => {
    const { result } = await stopped({
      "POST /stop": [accepted],
      "GET /savepoints/TRIGGER": [{ body: { status: { id: "COMPLETED" }, operation: null } }],
      "GET /": [job("RUNNING")],
    });
    expect(result).toMatchObject({ kind: "failed", message: containing("neither a location") });
  });

  test("is asked again with the same trigger where a new JobManager has forgotten it", async () => {
    const { result, asked } = await stopped({
      "POST /stop": [accepted],
      "GET /savepoints/TRIGGER": [inProgress, forgotten, completed(TAKEN)],
      "GET /": [noJob, job("RUNNING")],
    });
    expect(result.kind).toBe("taken");
    const stops = asked.filter(({ route }) => route === "POST /stop");
    expect(stops).toHaveLength(2);
    expect(stops[0]).toEqual(stops[1]);
  });

  test("goes on where the JobManager is away in between: neither order nor question is spoilt", async () => {
    const warnings: string[] = [];
    const { result } = await stopped(
      {
        "POST /stop": ["away", { status: 503, body: { errors: ["leader election"] } }, accepted],
        "GET /savepoints/TRIGGER": ["away", { status: 500, body: { errors: ["busy"] } }, completed(TAKEN)],
      },
      {
        onWarning: (warning) => {
          warnings.push(warning);
        },
      },
    );
    expect(result.kind).toBe("taken");
    expect(warnings.join("\n")).toMatch(/does not answer/);
  });

  test("of a job that finished without telling anybody is found by what it left", async () => {
    const { result } = await stopped(
      {
        "POST /stop": [accepted],
        "GET /savepoints/TRIGGER": [forgotten],
        "GET /": [job("FINISHED")],
      },
      { finished: async () => await Promise.resolve(TAKEN) },
    );
    expect(result).toEqual({ kind: "taken", location: TAKEN });
  });

  test("of a job that finished and left none says that it has ended", async () => {
    const { result } = await stopped(
      { "POST /stop": [accepted], "GET /savepoints/TRIGGER": [failed], "GET /": [job("FINISHED")] },
      {
        finished: async () => {
          await Promise.resolve(undefined);
        },
      },
    );
    expect(result).toMatchObject({ kind: "ended", state: "FINISHED" });
  });

  test("of a job that has failed meanwhile says so", async () => {
    const { result } = await stopped({
      "POST /stop": [{ status: 400, body: { errors: ["no"] } }],
      "GET /": [job("FAILED")],
    });
    expect(result).toEqual({
      kind: "ended",
      state: "FAILED",
      message: "The job is FAILED: Flink refuses it (400): no.",
    });
  });

  test.each([
    "Checkpoint triggering task x is not being executed. Not all required tasks are currently running.",
    "The Flink job is currently not executing. Failure reason: Trigger checkpoint failure.",
  ])("is asked again with a new trigger after `%s`", async (message) => {
    const { result, asked } = await stopped({
      "POST /stop": [accepted],
      "GET /savepoints/TRIGGER": [notRunning(message), completed(TAKEN)],
      "GET /": [job("RUNNING")],
    });
    expect(result.kind).toBe("taken");
    const triggers = asked.filter(({ route }) => route === "POST /stop").map(({ body }) => body);
    expect(triggers).toMatchObject([
      { triggerId: triggerId("wish-1") },
      { triggerId: triggerId("wish-1", 1) },
    ]);
  });

  test("that takes too long is a timeout, though Flink may still do it", async () => {
    const { result } = await stopped(
      { "POST /stop": [accepted], "GET /savepoints/TRIGGER": [inProgress] },
      { timeoutMs: 100 },
    );
    expect(result).toMatchObject({ kind: "timeout" });
  });

  test("of a JobManager that never takes the order says that", async () => {
    const { result } = await stopped({ "POST /stop": ["away"] }, { timeoutMs: 100 });
    expect(result).toMatchObject({ kind: "timeout", message: containing("never took") });
  });

  test("ends with its signal's reason", async () => {
    const abort = new AbortController();
    const run = stopped(
      { "POST /stop": [accepted], "GET /savepoints/TRIGGER": [inProgress] },
      { signal: abort.signal },
    );
    setTimeout(() => {
      abort.abort(new Error("the run was taken over"));
    }, 50);
    await expect(run).rejects.toThrow("the run was taken over");
  });
});

test("a savepoint without a stop has a body with hyphens, and never cancels the job", async () => {
  await using flink = await fakeFlink({
    "POST /savepoints": [accepted],
    "GET /savepoints/TRIGGER": [completed(TAKEN)],
  });
  expect(await takeSavepoint(flink.rest, plan, options)).toEqual({ kind: "taken", location: TAKEN });
  expect(flink.asked[0]?.body).toEqual({
    "target-directory": "s3://acme-data/state/nightly-orders/savepoints",
    "cancel-job": false,
    formatType: "NATIVE",
    triggerId: triggerId("wish-1"),
  });
});

test("2.x writes NATIVE savepoints, 1.x CANONICAL ones", () => {
  const versions = ["1.20.1", "2.0.0", "2.3.0", "10.1.0"];
  expect(versions.map((version) => savepointFormat({ version }))).toEqual([
    "CANONICAL",
    "NATIVE",
    "NATIVE",
    "NATIVE",
  ]);
});

test("a trigger is 32 hexadecimal digits, the same for the same wish", () => {
  expect(triggerId("w")).toMatch(/^[0-9a-f]{32}$/);
  expect(triggerId("w")).toBe(triggerId("w"));
  expect(new Set([triggerId("w"), triggerId("w", 1), triggerId("v")]).size).toBe(3);
});

test("whatever comes in whatever order, only a location that Flink or S3 told makes a savepoint", () => {
  const answer: fc.Arbitrary<SavepointAnswer> = fc.oneof(
    fc.constantFrom<SavepointAnswer>(
      { type: "asked" },
      { type: "away" },
      { type: "refused", message: "no" },
      { type: "late", seconds: 1 },
      { type: "found", location: undefined },
      { type: "job", state: undefined },
      { type: "trigger", state: { kind: "in-progress" } },
      { type: "trigger", state: { kind: "forgotten" } },
      { type: "trigger", state: { kind: "failed", message: "Not all required tasks are currently running" } },
      { type: "trigger", state: { kind: "failed", message: "disk full" } },
    ),
    fc
      .constantFrom("RUNNING" as const, "FINISHED" as const, "FAILED" as const, "RESTARTING" as const)
      .map((state): SavepointAnswer => ({ type: "job", state })),
  );
  fc.assert(
    fc.property(fc.boolean(), fc.array(answer, { maxLength: 30 }), (stop, answers) => {
      let progress = savepointStart(stop);
      for (const next of answers) {
        if (progress.step.do === "end") break;
        progress = savepointNext(progress, next);
      }
      if (progress.step.do === "end") expect(progress.step.result.kind).not.toBe("taken");
    }),
  );
});

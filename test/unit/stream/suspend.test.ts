import { beforeEach, describe, expect, test } from "vitest";
import { assertStateKept } from "../../../jobs/stream/discard.ts";
import { makeSavepoint } from "../../../jobs/stream/savepoints.ts";
import { suspendStream } from "../../../jobs/stream/suspend.ts";
import { JobSpec } from "../../../schema/job.ts";
import { clicks, NOW, newWorld, refusal, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});
const suspend = async (name = "clicks", options: Parameters<typeof suspendStream>[2] = {}) =>
  await suspendStream(world.ports(), await world.find(name), options);

describe("suspend", () => {
  test("ends the run with a savepoint", async () => {
    const run = await world.running();
    const { location } = await suspend();
    expect(await world.ledger.get(run)).toMatchObject({
      state: "suspended",
      outcome: { kind: "suspended", savepoint: location },
    });
  });

  test("that fails leaves the stream running, and says why and what else there is", async () => {
    const run = await world.running();
    world.savepointFails = "S3 did not answer.";
    const error = await refusal(suspend());
    expect(error).toMatchObject({ code: "suspend-failed", exitCode: 25, path: `run ${run}` });
    expect(error.message).toContain("goes on: S3 did not answer.");
    expect(error.hint).toContain("--last-state");
    expect((await world.ledger.get(run)).state).toBe("running");
  });

  test("of what is suspended already is refused, and says where its state is and how to go on", async () => {
    const run = await world.running();
    const { location } = await suspend();
    for (const name of ["clicks", run]) {
      const error = await refusal(suspend(name));
      expect(error).toMatchObject({ code: "already-suspended", exitCode: 73, path: `run ${run}` });
      expect(error.message).toContain(location);
      expect(error.hint).toBe(`Go on with it: npx mayfly resume ${run}`);
    }
  });

  test("of a run that is over is refused", async () => {
    const run = await world.running();
    await world.end(run, "failed", { kind: "lost", message: "The node went away." });
    expect(await refusal(suspend())).toMatchObject({
      code: "run-finished",
      exitCode: 73,
      path: `run ${run}`,
      message: `Run ${run} has ended already: failed.`,
    });
  });

  test("of a job that ends by itself is refused, by job and by run", async () => {
    const spec = JobSpec.parse({
      apiVersion: "mayfly.dev/v1",
      name: "nightly-orders",
      tenant: "demo",
      engine: "spark",
      version: "4.0.1",
      application: { kind: "python", file: "s3://demo-code/orders.py" },
      workers: { count: 1 },
    });
    await world.ledger.submit({
      run: "orders-1",
      spec,
      environment: "lab",
      connection: "/lab/connection.json",
    });
    for (const name of ["nightly-orders", "orders-1"]) {
      const error = await refusal(suspend(name));
      expect(error).toMatchObject({ code: "not-a-stream", exitCode: 73, path: "run orders-1" });
      expect(error.hint).toContain("npx mayfly cancel orders-1");
    }
  });

  test("of a stream that nobody knows names the nearest", async () => {
    await world.running();
    const error = await refusal(suspend("click"));
    expect(error).toMatchObject({ code: "unknown-stream", exitCode: 66, path: "click" });
    expect(error.hint).toContain('Did you mean "clicks"?');
  });
});

describe("suspend at the last state", () => {
  const location = "s3://demo-output/state/ab12/clicks/clicks-1/1/jobid/chk-7";

  test("is done only where no savepoint can be had, and said", async () => {
    await world.running();
    world.checkpoint = { location, at: new Date(NOW - 30_000) };
    expect(await suspend("clicks", { lastState: true })).toMatchObject({ kind: "savepoint" });
  });

  test("takes the newest checkpoint, and says how old it is", async () => {
    const run = await world.running();
    world.savepointFails = "S3 did not answer.";
    world.checkpoint = { location, at: new Date(NOW - 30_000) };
    expect(await suspend("clicks", { lastState: true })).toMatchObject({ run, location, kind: "checkpoint" });
    expect(world.notes.join(" ")).toContain("newest checkpoint instead, 30.0 s old");
    expect(await world.ledger.get(run)).toMatchObject({
      state: "suspended",
      outcome: { savepoint: location },
    });
  });

  test.each([
    ["the limit that was given", 60, 61, "at most 60 s were allowed"],
    ["ten minutes", undefined, 601, "at most 600 s were allowed"],
  ])("does not take one older than %s", async (_what, maxAgeSeconds, age, says) => {
    const run = await world.running();
    world.savepointFails = "S3 did not answer.";
    world.checkpoint = { location, at: new Date(NOW - age * 1000) };
    const error = await refusal(suspend("clicks", { lastState: true, maxAgeSeconds }));
    expect(error).toMatchObject({ code: "checkpoint-too-old", path: location });
    expect(error.message).toContain(says);
    expect((await world.ledger.get(run)).state).toBe("running");
  });

  test("takes a savepoint that is not there in time for one that can't be had", async () => {
    await world.running();
    world.savepointLate = true;
    expect(await refusal(suspend("clicks", { timeoutSeconds: 5 }))).toMatchObject({ code: "not-answered" });
    world.checkpoint = { location, at: new Date(NOW - 30_000) };
    expect(await suspend("clicks", { lastState: true, timeoutSeconds: 5 })).toMatchObject({ location });
  });

  test("is refused where there is no checkpoint either", async () => {
    await world.running();
    world.savepointFails = "S3 did not answer.";
    expect(await refusal(suspend("clicks", { lastState: true }))).toMatchObject({ code: "no-checkpoint" });
  });
});

describe("a savepoint that is asked for", () => {
  test("that fails leaves the stream running, and says why", async () => {
    const run = await world.running();
    world.savepointFails = "A task is slow.";
    expect(await refusal(makeSavepoint(world.ports(), await world.find("clicks")))).toMatchObject({
      code: "savepoint-failed",
      exitCode: 25,
      path: `run ${run}`,
    });
  });
});

describe("the end of a live stream", () => {
  const row = { run: "clicks-1", attempt: 1, spec: clicks, outcome: undefined };

  test("is refused where its state would be lost, and says how it is kept", () => {
    expect(() => {
      assertStateKept({ ...row, state: "running" }, false);
    }).toThrow(
      expect.objectContaining({
        code: "state-would-be-lost",
        exitCode: 73,
        path: "run clicks-1",
        hint: "End it with its state kept: npx mayfly suspend clicks-1. If nobody needs that state: --discard-state",
      }),
    );
  });

  test.each([
    ["somebody says that nobody needs it", { ...row, state: "running" }, true],
    ["it has not begun", { ...row, attempt: 0, state: "queued" }, false],
    ["it has ended", { ...row, state: "failed" }, false],
    [
      "it was suspended, and is only to be removed",
      {
        ...row,
        state: "destroying",
        outcome: { kind: "suspended", savepoint: "s3://demo-output/1", message: "" },
      },
      false,
    ],
    ["it is no stream", { ...row, state: "running", spec: undefined }, false],
  ] as const)("is allowed where %s", (_what, run, discard) => {
    expect(() => {
      assertStateKept(run, discard);
    }).not.toThrow();
  });
});

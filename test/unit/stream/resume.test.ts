import { beforeEach, describe, expect, test } from "vitest";
import { checkBeginning, resumeOrBringOn, resumeStream } from "../../../jobs/stream/resume.ts";
import { suspendStream } from "../../../jobs/stream/suspend.ts";
import { FlinkStreamJob } from "../../../schema/job.ts";
import { clicks, clicksV2, NOW, neverHealthy, newWorld, refusal, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const suspend = async (name = "clicks") => await suspendStream(world.ports(), await world.find(name));
const resume = async (name = "clicks", options: Parameters<typeof resumeStream>[2] = {}) =>
  await resumeStream(world.ports(), await world.find(name), options);
const version = (spec: FlinkStreamJob) => ({ spec, file: "clicks.yaml" });

describe("a suspended stream", () => {
  test("goes on from its savepoint, as a new run of the same spec", async () => {
    await world.running();
    const { location } = await suspend();
    const resumed = await resume();
    expect(resumed).toMatchObject({
      started: { kind: "running", run: "clicks-2" },
      before: "clicks-1",
      origin: { location, kind: "savepoint", flinkVersion: "2.3.0" },
    });
    const { spec, key } = await world.ledger.get("clicks-2");
    expect(key).toBe("resumed/clicks-1");
    expect(spec).toMatchObject({ from: { savepoint: location } });
  });

  test("goes on with another spec: jar, size, place", async () => {
    await world.running();
    const { location } = await suspend();
    await resume("clicks", { version: version(clicksV2) });
    expect(world.calls.at(-1)).toBe(`start s3://demo-code/clicks-2.jar from ${location}`);
  });

  test("is resumed once: the second is told which run it is, by job and by run", async () => {
    await world.running();
    await suspend();
    await resume();
    for (const name of ["clicks", "clicks-1"]) {
      expect(await refusal(resume(name))).toMatchObject({
        code: "already-resumed",
        exitCode: 73,
        path: "run clicks-2",
        message: "Run clicks-1 has been resumed already, by run clicks-2, which is running.",
      });
    }
  });

  test("resumed twice at the same time is resumed once", async () => {
    await world.running();
    await suspend();
    const found = await world.find("clicks");
    const both = await Promise.allSettled([1, 2].map(async () => await resumeStream(world.ports(), found)));
    expect(both.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "already-resumed", exitCode: 73 },
    });
  });

  test("whose next run was suspended as well goes on from that one alone", async () => {
    await world.running();
    await suspend();
    await resume();
    await suspend();
    const error = await refusal(resume("clicks-1"));
    expect(error).toMatchObject({ code: "already-resumed" });
    expect(error.hint).toContain("npx mayfly resume clicks-2");
    expect((await resume()).before).toBe("clicks-2");
  });

  test("whose savepoint is gone from S3 is not started", async () => {
    await world.running();
    const { location } = await suspend();
    world.files.clear();
    expect(await refusal(resume())).toMatchObject({ code: "savepoint-missing", path: location });
    expect(world.calls.filter((call) => call.startsWith("start"))).toEqual([]);
  });

  test("goes on from a named savepoint of its own", async () => {
    const run = await world.running();
    const older = await world.savepoint(run, NOW - 60_000);
    await suspend();
    expect((await resume("clicks", { from: `${older}/` })).origin.location).toBe(older);
  });

  test("does not go on from another job's savepoint, known by the ledger or by its folder", async () => {
    await world.running();
    await suspend();
    const known = "s3://demo-output/state/odd-folder";
    await world.ledger.recordSavepoint({
      ...{ location: known, run: "orders-1", tenant: "demo", job: "orders", environment: "lab", attempt: 1 },
      ...{ kind: "savepoint", reason: "asked", flinkVersion: "2.3.0", format: "native" },
      at: new Date(NOW).toISOString(),
    });
    for (const from of [known, "s3://demo-output/state/orders/savepoints/savepoint-1-2"]) {
      const error = await refusal(resume("clicks", { from }));
      expect(error).toMatchObject({ code: "savepoint-of-another-job", path: from });
      expect(error.message).toContain("job orders");
      expect(error.hint).toContain("npx mayfly savepoints clicks");
    }
  });

  test.each([
    ["of another name", FlinkStreamJob.parse({ ...clicks, deadline: undefined, name: "orders" })],
    ["of another tenant", FlinkStreamJob.parse({ ...clicks, deadline: undefined, tenant: "acme" })],
  ])("does not go on with a spec %s", async (_what, spec) => {
    await world.running();
    await suspend();
    expect(await refusal(resume("clicks", { version: version(spec) }))).toMatchObject({
      code: "another-job",
      path: "clicks.yaml",
    });
  });

  test("of Flink 2.x is not started on 1.x, whoever insists", async () => {
    await world.running();
    const { location } = await suspend();
    const old = FlinkStreamJob.parse({ ...clicks, deadline: undefined, version: "1.20.1" });
    for (const forceVersion of [false, true]) {
      expect(await refusal(resume("clicks", { version: version(old), forceVersion }))).toMatchObject({
        code: "flink-version-downgrade",
        path: location,
      });
    }
  });

  test("of Flink 1.x is started on 2.x only where somebody insists", async () => {
    const old = FlinkStreamJob.parse({ ...clicks, deadline: undefined, version: "1.20.1" });
    const run = await world.running(old);
    const location = "s3://demo-output/state/clicks/savepoints/savepoint-1-20";
    world.files.add(location);
    await world.ledger.recordSavepoint({
      ...{ location, run, tenant: "demo", job: "clicks", environment: "lab", attempt: 1 },
      ...{ kind: "savepoint", reason: "suspend", flinkVersion: "1.20.1", format: "canonical" },
      at: new Date(NOW).toISOString(),
    });
    await world.end(run, "suspended", { kind: "suspended", savepoint: location, message: "" });
    const error = await refusal(resume("clicks", { version: version(clicks) }));
    expect(error).toMatchObject({ code: "flink-version-major", path: location });
    expect(error.hint).toContain("--force-version");
    expect((await resume("clicks", { version: version(clicks), forceVersion: true })).started.kind).toBe(
      "running",
    );
  });

  test("is not started with another state backend or another maximum parallelism", async () => {
    await world.running();
    await suspend();
    const rocks = { ...clicks, deadline: undefined, state: { backend: "rocksdb", disk: "1Gi" } };
    expect(await refusal(resume("clicks", { version: version(FlinkStreamJob.parse(rocks)) }))).toMatchObject({
      code: "state-backend-changed",
      path: "state.backend",
    });
    const wider = FlinkStreamJob.parse({ ...clicks, deadline: undefined, maxParallelism: 16 });
    expect(await refusal(resume("clicks", { version: version(wider) }))).toMatchObject({
      code: "max-parallelism-changed",
      path: "maxParallelism",
    });
  });

  test("is found by its run when several tenants have a job of its name, or by the tenant", async () => {
    await world.running();
    await suspend();
    await world.ledger.submit({
      run: "acme-clicks-1",
      spec: FlinkStreamJob.parse({ ...clicks, deadline: undefined, tenant: "acme" }),
      environment: "lab",
      connection: "/lab/connection.json",
    });
    const error = await refusal(world.find("clicks"));
    expect(error).toMatchObject({ code: "stream-ambiguous", exitCode: 64 });
    expect(error.hint).toContain("--tenant");
    expect((await world.find("clicks", "demo")).run.run).toBe("clicks-1");
    expect((await world.find("clicks-1")).run.run).toBe("clicks-1");
  });
});

describe("a stream that was suspended at a checkpoint", () => {
  test("goes on from the newest that it had made when its cluster was gone", async () => {
    await world.running();
    world.savepointFails = "A task is slow.";
    const folder = "s3://demo-output/state/ab12/clicks/clicks-1/1/jobid";
    world.checkpoint = { location: `${folder}/chk-7`, at: new Date(NOW - 5000) };
    await suspendStream(world.ports(), await world.find("clicks"), { lastState: true });
    world.checkpoint = { location: `${folder}/chk-8`, at: new Date(NOW) };
    world.files.add(`${folder}/chk-8`);
    expect((await resume()).origin).toMatchObject({ location: `${folder}/chk-8`, kind: "checkpoint" });
  });
});

describe("a stream that was not suspended", () => {
  test("goes on from the newest checkpoint that it left, and says how old that is", async () => {
    const run = await world.running();
    await world.end(run, "failed", { kind: "lost", message: "The node went away." });
    const location = "s3://demo-output/state/ab12/clicks/clicks-1/1/jobid/chk-7";
    world.checkpoint = { location, at: new Date(NOW - 42_000) };
    expect((await resume()).origin).toMatchObject({ location, kind: "checkpoint" });
    expect(world.notes).toEqual([
      "Run clicks-1 was not suspended: going on from its newest checkpoint, 42.0 s old.",
    ]);
  });

  test("that left nothing goes on from what it began with", async () => {
    await world.running();
    const { location } = await suspend();
    await resume();
    await world.end("clicks-2", "failed", { kind: "lost", message: "The node went away." });
    expect((await resume()).origin.location).toBe(location);
    expect(world.notes.at(-1)).toContain("left no state of its own");
  });

  test("that left nothing and began with nothing is refused, with what to do", async () => {
    const run = await world.running();
    await world.end(run, "failed", { kind: "lost", message: "The node went away." });
    const error = await refusal(resume());
    expect(error).toMatchObject({ code: "nothing-to-resume", exitCode: 73, path: "run clicks-1" });
    expect(error.hint).toContain("npx mayfly run FILE");
  });

  test("that is live is refused", async () => {
    await world.running();
    expect(await refusal(resume())).toMatchObject({ code: "stream-is-live", path: "run clicks-1" });
  });
});

describe("what a helper left half done", () => {
  test("is brought on: a run that was starting is healthy then, and nothing new is started", async () => {
    const run = await world.running();
    await world.ledger.update(run, (await world.ledger.get(run)).version, { state: "creating" });
    world.orphan = { state: "running" };
    expect(await resumeOrBringOn(world.ports(), await world.find("clicks"))).toEqual({ run });
    expect(world.calls).toEqual([`bring on ${run}`]);
  });

  test("is brought on: a run that was suspended but not yet gone ends, and the stream goes on from there", async () => {
    const run = await world.running();
    const savepoint = await world.savepoint(run, NOW, "suspend");
    const outcome = { kind: "suspended", savepoint, message: "It was suspended." } as const;
    await world.ledger.update(run, (await world.ledger.get(run)).version, { state: "destroying", outcome });
    world.orphan = { state: "suspended", outcome };
    const resumed = await resumeOrBringOn(world.ports(), await world.find("clicks"));
    expect(resumed).toMatchObject({ before: run, origin: { location: savepoint } });
  });

  test("is left to the helper that works on it", async () => {
    const run = await world.running();
    await world.ledger.update(run, (await world.ledger.get(run)).version, { state: "creating" });
    expect(await refusal(resumeOrBringOn(world.ports(), await world.find("clicks")))).toMatchObject({
      code: "stream-is-live",
    });
  });

  test("of an upgrade that was killed: a version that never was healthy does not count, the one before does", async () => {
    await world.running();
    const { location } = await suspend();
    neverHealthy(world);
    await resume("clicks", { version: version(clicksV2) });
    world.calls.length = 0;
    await resume();
    expect(world.calls).toEqual([
      "check s3://demo-code/clicks.jar",
      `start s3://demo-code/clicks.jar from ${location}`,
    ]);
    expect((await world.ledger.get("clicks-3")).key).toBe("resumed/clicks-2");
  });

  test("of a version that left a checkpoint before anybody could call it healthy: that one counts, or its output would come twice", async () => {
    await world.running();
    await suspend();
    neverHealthy(world);
    await resume("clicks", { version: version(clicksV2) });
    world.checkpoint = { location: "s3://demo-output/state/clicks/clicks-2/1/chk-7", at: new Date(NOW) };
    world.files.add(world.checkpoint.location);
    world.fates.clear();
    world.calls.length = 0;
    await resume();
    expect(world.calls.at(-1)).toBe(`start s3://demo-code/clicks-2.jar from ${world.checkpoint.location}`);
  });
});

describe("a new stream that begins with state", () => {
  const begin = async (savepoint: string, changes: object = {}): Promise<void> => {
    const spec = { ...clicks, deadline: undefined, from: { savepoint }, ...changes };
    await checkBeginning(world.ports(), FlinkStreamJob.parse(spec));
  };

  test("may take that of its own job", async () => {
    const run = await world.running();
    await expect(begin(await world.savepoint(run))).resolves.toBeUndefined();
  });

  test.each([
    ["another job's", { name: "orders" }, "savepoint-of-another-job"],
    ["that of a Flink which it can't read", { version: "1.20.1" }, "flink-version-downgrade"],
  ])("is refused with %s", async (_what, changes, code) => {
    const run = await world.running();
    const savepoint = await world.savepoint(run);
    expect(await refusal(begin(savepoint, changes))).toMatchObject({ code, path: savepoint });
  });

  test("is refused with what is not there", async () => {
    expect(await refusal(begin("s3://demo-output/nothing"))).toMatchObject({
      code: "savepoint-missing",
      path: "s3://demo-output/nothing",
    });
  });
});

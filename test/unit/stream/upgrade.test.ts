import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import { rescaleStream, wantedSize } from "../../../jobs/stream/rescale.ts";
import { upgradeStream } from "../../../jobs/stream/upgrade.ts";
import { nextUpgrade, UPGRADE_BEGINS } from "../../../jobs/stream/upgrade-machine.ts";
import { FlinkStreamJob } from "../../../schema/job.ts";
import { clicks, clicksV2, neverHealthy, newWorld, refusal, type World } from "./world.ts";

let world: World;
beforeEach(async () => {
  world = await newWorld();
});

const upgrade = async (spec = clicksV2, options: Parameters<typeof upgradeStream>[3] = {}) =>
  await upgradeStream(world.ports(), await world.find("clicks"), { spec, file: "clicks.yaml" }, options);
const state = async (run: string) => (await world.ledger.get(run)).state;

describe("an upgrade", () => {
  test("checks the new version, then suspends the old one, then starts the new one from its savepoint", async () => {
    const run = await world.running();
    const end = await upgrade();
    expect(end).toMatchObject({ phase: "done", run: "clicks-2" });
    const savepoint = "savepoint" in end ? end.savepoint : "";
    expect(world.calls).toEqual([
      "check s3://demo-code/clicks-2.jar",
      `suspend ${run}`,
      "check s3://demo-code/clicks-2.jar",
      `start s3://demo-code/clicks-2.jar from ${savepoint}`,
    ]);
    expect([await state(run), await state("clicks-2")]).toEqual(["suspended", "running"]);
  });

  test("that does not pass its checks touches nothing", async () => {
    const run = await world.running();
    world.checkFails = new UserError("does-not-fit-quota", "It asks for more than the quota.");
    expect(await refusal(upgrade())).toMatchObject({ code: "does-not-fit-quota" });
    expect(world.calls).toEqual(["check s3://demo-code/clicks-2.jar"]);
    expect(await state(run)).toBe("running");
  });

  test.each([
    ["another job's spec", { name: "orders" }, "another-job"],
    ["a Flink that can't read its state", { version: "1.20.1" }, "flink-version-downgrade"],
    ["another state backend", { state: { backend: "rocksdb", disk: "1Gi" } }, "state-backend-changed"],
    ["another maximum parallelism", { maxParallelism: 16 }, "max-parallelism-changed"],
  ])("to %s touches nothing", async (_what, changes, code) => {
    const run = await world.running();
    const spec = FlinkStreamJob.parse({ ...clicks, deadline: undefined, ...changes });
    expect(await refusal(upgrade(spec))).toMatchObject({ code });
    expect(world.calls.filter((call) => !call.startsWith("check"))).toEqual([]);
    expect(await state(run)).toBe("running");
  });

  test("of a stream that does not run is refused, with what to do instead", async () => {
    await world.running();
    await upgrade();
    await world.end("clicks-2", "failed", { kind: "lost", message: "The node went away." });
    expect(await refusal(upgrade())).toMatchObject({ code: "run-finished" });
  });

  test("whose savepoint can't be had leaves the old one running", async () => {
    const run = await world.running();
    world.savepointFails = "S3 did not answer.";
    expect(await upgrade()).toMatchObject({ phase: "untouched" });
    expect(await state(run)).toBe("running");
  });

  test("whose new version never becomes healthy goes back to the old one, from the same savepoint", async () => {
    await world.running();
    neverHealthy(world);
    const end = await upgrade();
    expect(end).toMatchObject({
      phase: "rolled-back",
      run: "clicks-3",
      failed: { run: "clicks-2", message: "There is no class com.acme.Clicks." },
    });
    const savepoint = "savepoint" in end ? end.savepoint : "";
    expect(world.calls.at(-1)).toBe(`start s3://demo-code/clicks.jar from ${savepoint}`);
    expect([await state("clicks-2"), await state("clicks-3")]).toEqual(["failed", "running"]);
  });

  test("that is interrupted once the old one is suspended goes back to it", async () => {
    await world.running();
    const end = await upgrade(clicksV2, { signal: AbortSignal.abort() });
    expect(end).toMatchObject({ phase: "rolled-back", run: "clicks-3", failed: { run: "clicks-2" } });
  });

  test("whose way back fails too says so, and the state is still there", async () => {
    await world.running();
    neverHealthy(world);
    world.fates.set(clicks.application.file, "healthy");
    const found = await world.find("clicks");
    world.fates.set(clicks.application.file, { kind: "infrastructure", message: "No node is ready." });
    const end = await upgradeStream(world.ports(), found, { spec: clicksV2, file: "clicks.yaml" });
    expect(end).toMatchObject({
      phase: "stuck",
      failed: { run: "clicks-2" },
      rollback: { run: "clicks-3", message: "No node is ready." },
    });
    expect(world.files.has("savepoint" in end ? end.savepoint : "")).toBe(true);
  });

  test("to a version that wants no state starts from none, and can go back all the same", async () => {
    await world.running();
    const stateless = FlinkStreamJob.parse({ ...clicksV2, deadline: undefined, upgrade: "stateless" });
    expect(await upgrade(stateless)).toMatchObject({ phase: "done" });
    expect(world.calls.at(-1)).toBe("start s3://demo-code/clicks-2.jar from nothing");
  });

  test("is told step by step", async () => {
    await world.running();
    neverHealthy(world);
    const steps: string[] = [];
    await upgrade(clicksV2, { onStep: ({ phase }) => steps.push(phase) });
    expect(steps).toEqual(["checking", "suspending", "starting", "rolling-back"]);
  });

  test("never begins the new version before the old one's state is safe", () => {
    for (const type of ["checked", "healthy"] as const) {
      const event = type === "healthy" ? { type, run: "clicks-2" } : { type };
      expect(() => nextUpgrade({ phase: "suspending" }, event)).toThrow("can't be told");
    }
    expect(nextUpgrade(UPGRADE_BEGINS, { type: "checked" })).toEqual({ phase: "suspending" });
  });
});

describe("a rescale", () => {
  const rescale = async (size: Parameters<typeof rescaleStream>[2]) =>
    await rescaleStream(world.ports(), await world.find("clicks"), size);

  test("is done in place where it can be", async () => {
    const run = await world.running();
    expect(await rescale({ taskManagers: 2 })).toEqual({
      how: "in-place",
      run,
      size: { taskManagers: 2, parallelism: 4 },
      message: "It runs on 2.",
    });
    expect(world.calls).toEqual(["check s3://demo-code/clicks.jar", `rescale ${run}`]);
  });

  test("is done by a savepoint and a new run where it can't be, and says why", async () => {
    const run = await world.running();
    world.rescaleFails = "The scheduler is not the adaptive one.";
    expect(await rescale({ taskManagers: 2, parallelism: 3 })).toMatchObject({
      how: "by-savepoint",
      why: "The scheduler is not the adaptive one.",
      end: { phase: "done", run: "clicks-2" },
    });
    expect(await state(run)).toBe("suspended");
    expect((await world.ledger.get("clicks-2")).spec).toMatchObject({
      parallelism: 3,
      taskManagers: { count: 2 },
    });
  });

  test("to the size that it has does nothing", async () => {
    const run = await world.running();
    expect(await rescale({ parallelism: 2 })).toMatchObject({ how: "unchanged", run });
    expect(world.calls).toEqual([]);
  });

  test("that does not fit touches nothing", async () => {
    await world.running();
    world.checkFails = new UserError("does-not-fit-quota", "It asks for more than the quota.");
    expect(await refusal(rescale({ taskManagers: 4 }))).toMatchObject({ code: "does-not-fit-quota" });
    expect(world.calls).toEqual(["check s3://demo-code/clicks.jar"]);
  });

  test.each([
    [
      "TaskManagers alone: all their slots are used",
      { taskManagers: 3 },
      { taskManagers: 3, parallelism: 6 },
    ],
    [
      "parallelism alone: as many TaskManagers as it needs",
      { parallelism: 5 },
      { taskManagers: 3, parallelism: 5 },
    ],
    ["both", { taskManagers: 4, parallelism: 1 }, { taskManagers: 4, parallelism: 1 }],
    ["neither", {}, { taskManagers: 1, parallelism: 2 }],
  ])("means, of %s", (_what, wanted, size) => {
    expect(wantedSize(clicks, wanted)).toEqual(size);
  });

  test.each([
    ["slots than there are", { taskManagers: 1, parallelism: 3 }, "too-few-slots", "1 TaskManagers × 2 = 2"],
    ["parallelism than its state allows", { parallelism: 9 }, "parallelism-too-high", "maxParallelism of 8"],
  ])("is refused for more %s", (_what, wanted, code, says) => {
    expect(() => wantedSize(clicks, wanted)).toThrow(expect.objectContaining({ code }));
    expect(() => wantedSize(clicks, wanted)).toThrow(says);
  });
});

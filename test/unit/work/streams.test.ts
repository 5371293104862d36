import { describe, expect, test } from "vitest";
import type { Wish } from "../../../jobs/ledger/index.ts";
import type { RunFacts, RunState } from "../../../jobs/run/machine.ts";
import { readState } from "../../../jobs/work/state.ts";
import type { RunEvent } from "../../../schema/events.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import { type Changes, contract, planOf, stream } from "../plan/flink-sample.ts";
import { RUN, type Scene, scene } from "./fakes.ts";
import { type FakeFlink, type FlinkScene, fakeFlink } from "./flink.ts";

const LOCATION = "s3://acme-data/state/nightly-orders/savepoints/savepoint-1f2e3d-0123456789ab";
const at = "2026-11-24T06:00:00.000Z";
const suspend: Wish = { id: "5f1c0e", at, kind: "suspend" };
const save: Wish = { id: "7aa1b2", at, kind: "savepoint" };
const grow: Wish = { id: "90cd3e", at, kind: "rescale", taskManagers: 4, parallelism: 4 };

const facts: RunFacts = {
  run: RUN,
  budget: { user: 0, outOfMemory: 0, infrastructure: 1 },
  mode: { kind: "detached" },
  memory: { factor: 1, driver: 0, workers: 0 },
  attempt: 1,
  failed: [],
  fence: 1,
  cancelRequested: false,
  overdue: false,
};

interface Live extends Scene {
  readonly flink: FakeFlink;
  readonly plan: FlinkPlan;
}

/** A stream that was left running, or in `state`, and that a worker finds. */
function live(
  given: FlinkScene & {
    readonly state?: RunState;
    readonly spec?: Changes;
    readonly wish?: Wish;
    readonly objects?: readonly string[];
  } = {},
): Live {
  const flink = fakeFlink(given);
  const spec = stream({
    retries: { infrastructure: 1 },
    taskManagers: { count: 2, slots: 1 },
    ...given.spec,
  });
  const plan = planOf(spec, { run: RUN, attempt: 1 });
  const state = given.state ?? { phase: "running", facts, lease: 1 };
  const left = { state, plan, ...(given.wish === undefined ? {} : { row: { wish: given.wish } }) };
  for (const url of given.objects ?? []) flink.objects.push({ url, at: new Date(), bytes: 1 });
  const it = scene({ spec, contract: contract(), scenario: { flink }, left });
  return { ...it, flink, plan };
}

async function until({ tools }: Scene, fits: (event: RunEvent) => boolean): Promise<void> {
  while (!tools.events.some(fits)) await new Promise((resolve) => setTimeout(resolve, 2));
}
const isAnswer = ({ type }: RunEvent): boolean => type === "answer";
/** Typed, where `expect.stringContaining` is any. */
const contains = (text: string): unknown => expect.stringContaining(text);
const answers = ({ tools }: Scene) => tools.events.filter((event) => event.type === "answer");
const watched = async ({ driver }: Scene): Promise<void> => {
  while (!driver.resting) await new Promise((resolve) => setTimeout(resolve, 2));
};
const place = (calls: readonly string[], start: string): number =>
  calls.findIndex((call) => call.startsWith(start));

describe("a stream that is to be suspended", () => {
  test("is stopped with a savepoint, which is in the ledger before the state says so, and before anything is destroyed", async () => {
    const it = live({ wish: suspend });
    await expect(it.driver.done).resolves.toBe("ended");
    expect(it.row()).toMatchObject({
      state: "suspended",
      outcome: { kind: "suspended", savepoint: LOCATION },
      wish: undefined,
      left: [],
    });
    const { calls } = it.tools;
    expect(place(calls, `savepoint suspend ${LOCATION}`)).toBeGreaterThan(0);
    expect(place(calls, "destroy")).toBeGreaterThan(place(calls, "savepoint suspend"));
    expect(it.flink.orders).toEqual(["stop"]);
    expect(answers(it)).toMatchObject([{ wish: suspend.id, ok: true, savepoint: LOCATION }]);
  });

  test("goes on, and says why, where Flink made no savepoint", async () => {
    const it = live({ wish: suspend, savepoints: [new Error("S3 does not answer")] });
    await until(it, isAnswer);
    await watched(it);
    expect(answers(it)).toMatchObject([{ ok: false, message: contains("S3 does not answer") }]);
    expect(it.row()).toMatchObject({ state: "running", wish: undefined });
    expect(readState(RUN, it.row().machine ?? "").phase).toBe("running");
    expect(it.tools.calls.some((call) => call.startsWith("destroy"))).toBe(false);
    await it.driver.handOver();
  });

  test("asked twice is asked once", async () => {
    const it = live();
    await watched(it);
    it.driver.heed(suspend);
    it.driver.heed(suspend);
    await it.driver.done;
    expect(it.flink.orders).toEqual(["stop"]);
  });

  test("whose helper died over it is asked again by the same name: Flink takes that once", async () => {
    const it = live({ wish: suspend, state: { phase: "suspending", facts, lease: 1, trigger: suspend.id } });
    await it.driver.done;
    expect(it.row()).toMatchObject({ state: "suspended", outcome: { savepoint: LOCATION } });
    expect(it.flink.orders).toEqual(["stop"]);
  });

  test("can be content with a checkpoint: that is in the ledger, Flink is not asked, and no checkpoint is deleted", async () => {
    const lastState = "s3://acme-data/state/nightly-orders/checkpoints/chk-7";
    const it = live({ wish: { ...suspend, lastState } });
    await it.driver.done;
    expect(it.row()).toMatchObject({ state: "suspended", outcome: { savepoint: lastState } });
    expect(it.flink.orders).toEqual([]);
    expect(it.tools.calls).toContain(`savepoint suspend ${lastState}`);
    expect(it.tools.calls.some((call) => call.startsWith("delete"))).toBe(false);
  });

  test("whose savepoint is late is suspended at a checkpoint as soon as somebody is content with that", async () => {
    const it = live({ wish: suspend, savepoints: ["never"] });
    while (it.driver.state.phase !== "suspending") await new Promise((resolve) => setTimeout(resolve, 2));
    const lastState = "s3://acme-data/state/nightly-orders/checkpoints/chk-7";
    it.driver.heed({ ...suspend, id: "a1b2c3", lastState });
    await it.driver.done;
    expect(it.row()).toMatchObject({ state: "suspended", outcome: { savepoint: lastState } });
    expect(answers(it)).toMatchObject([{ wish: "a1b2c3", ok: true }]);
  });

  test("leaves no checkpoints in S3: neither its own nor those of the failed run that it went on from; savepoints stay", async () => {
    const before = "nightly-orders-11230600-b2b2b";
    const id = "a".repeat(32);
    const root = "s3://acme-data/state/nightly-orders";
    const from = { savepoint: `${root}/${before}/1/${id}/chk-9`, allowNonRestoredState: false };
    const gone = [`${root}/${before}/1/${id}/chk-9/_metadata`, `${root}/${RUN}/1/${id}/chk-2/_metadata`];
    const stays = [
      `${root}/nightly-orders-11220600-c3c3c/1/${id}/chk-1/_metadata`,
      `${root}/savepoints/savepoint-000000-0123456789ab/_metadata`,
    ];
    const it = live({ wish: suspend, spec: { from }, objects: [...gone, ...stays] });
    await it.driver.done;
    const deleted = it.tools.calls.flatMap((call) => (call.startsWith("delete ") ? [call.slice(7)] : []));
    expect(deleted.toSorted()).toEqual(gone.toSorted());
  });

  test("but was cancelled before ends as cancelled, and whoever asked is told", async () => {
    const it = live({ unhealthy: true });
    it.driver.cancel();
    it.driver.heed(save);
    await it.driver.done;
    expect(it.row()).toMatchObject({ state: "cancelled" });
    expect(answers(it)).toMatchObject([{ wish: save.id, ok: false }]);
  });
});

describe("a savepoint of a stream that goes on", () => {
  test("is in the ledger, and whoever asked gets its location", async () => {
    const it = live({ wish: save });
    await until(it, isAnswer);
    await watched(it);
    expect(answers(it)).toMatchObject([{ wish: save.id, ok: true, savepoint: LOCATION }]);
    expect(it.tools.calls).toContain(`savepoint asked ${LOCATION}`);
    expect(it.row()).toMatchObject({ state: "running", wish: undefined });
    await expect(it.driver.handOver()).resolves.toBe("handed-over");
  });

  test("comes by itself where the spec says how often", async () => {
    const it = live({ spec: { savepoints: { every: "1s" } } });
    await until(it, ({ type }) => type === "savepoint");
    expect(it.tools.calls).toContain(`savepoint periodic ${LOCATION}`);
    await it.driver.handOver();
  });
});

describe("another size in place", () => {
  test("has pods before tasks where it grows, and the ledger has plan and spec that are true", async () => {
    const it = live({ wish: grow });
    await until(it, isAnswer);
    await watched(it);
    expect(answers(it)).toMatchObject([{ wish: grow.id, ok: true }]);
    expect(it.flink.orders).toEqual(["parallelism 4"]);
    expect(it.tools.calls.filter((call) => call.startsWith("up"))).toHaveLength(1);
    expect(it.row()).toMatchObject({
      plan: { parallelism: 4, workers: { count: 4 } },
      spec: { parallelism: 4, taskManagers: { count: 4 } },
    });
    await it.driver.handOver();
  });

  test("that Flink refuses leaves all as it was", async () => {
    const it = live({ wish: grow, rescale: "refused" });
    await until(it, isAnswer);
    await watched(it);
    expect(answers(it)).toMatchObject([{ ok: false, message: contains("adaptive") }]);
    // Up, and back again.
    expect(it.tools.calls.filter((call) => call.startsWith("up"))).toHaveLength(2);
    expect(it.row()).toMatchObject({ plan: { workers: { count: 2 } } });
    await it.driver.handOver();
  });
});

describe("a stream's further attempt", () => {
  const failed: RunFacts = { ...facts, attempt: 2, failed: ["lost"] };
  const queued: RunState = { phase: "queued", facts: failed, asked: false };

  test("goes on from the newest checkpoint, and says how old that is", async () => {
    const plan = planOf(stream(), { run: RUN, attempt: 1 });
    const folder = `s3://acme-data/state/nightly-orders/${RUN}/1/${plan.jobId}`;
    const it = live({ state: queued, objects: [`${folder}/chk-6/_metadata`, `${folder}/chk-7/_metadata`] });
    await until(it, ({ type }) => type === "planned");
    expect(it.row().plan).toMatchObject({
      attempt: 2,
      restore: { location: `${folder}/chk-7`, kind: "checkpoint" },
    });
    expect(it.tools.events).toContainEqual(
      expect.objectContaining({ type: "warning", message: contains("checkpoint of 0 s ago") }),
    );
    it.driver.cancel();
    await it.driver.done;
  });

  test("starts as the first one where nothing is left", async () => {
    const from = { savepoint: LOCATION, allowNonRestoredState: false };
    const it = live({ state: queued, spec: { from } });
    await until(it, ({ type }) => type === "planned");
    expect(it.row().plan).toMatchObject({ attempt: 2, restore: { location: LOCATION } });
    it.driver.cancel();
    await it.driver.done;
  });

  test("is not failed for good by an S3 that is away", async () => {
    const it = live({ state: queued, objects: ["away"] });
    await expect(it.driver.done).resolves.toBe("ended");
    expect(it.row()).toMatchObject({ outcome: { kind: "infrastructure" } });
  });
});

test("a job that has failed is the run's failure, with Flink's exception; what it left stays for whoever goes on", async () => {
  const it = live();
  it.flink.become("FAILED");
  await it.driver.done;
  expect(it.row()).toMatchObject({
    state: "failed",
    outcome: { kind: "user-failure", message: contains("bad record") },
  });
  expect(it.tools.calls.some((call) => call.startsWith("delete"))).toBe(false);
});

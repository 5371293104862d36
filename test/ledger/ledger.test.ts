// What a ledger promises, held on each database that it may be kept in.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import type { Ledger } from "../../jobs/ledger/index.ts";
import type { RunEvent } from "../../schema/events.ts";
import { samplePlans } from "../harness/samples.ts";
import { onEachStore } from "./each-store.ts";
import { helperProcess, pi, submission, submitMany } from "./stores.ts";

const plan = samplePlans().pi;

const warning = (run: string, message: string): RunEvent => ({
  type: "warning",
  at: "2026-11-24T06:00:00.000Z",
  run,
  message,
});

async function refusal(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
}

onEachStore("a ledger", (store) => {
  let ledger: Ledger;
  let url: string;
  beforeEach(() => {
    ({ ledger, url } = store);
  });

  describe("submit", () => {
    test("records all of a run before anything exists, and reads the same back", async () => {
      const interval = { start: "2026-11-23T00:00:00.000Z", end: "2026-11-24T00:00:00.000Z" };
      const asked = submission("pi-1", { key: "daily/2026-11-23", interval, priority: 5 });
      expect(await ledger.submit(asked)).toEqual({ run: "pi-1", created: true });
      expect(await ledger.get("pi-1")).toMatchObject({
        run: "pi-1",
        key: "daily/2026-11-23",
        tenant: "demo",
        job: "pi",
        environment: "lab",
        connection: "/srv/lab/connection.json",
        interval,
        priority: 5,
        state: "queued",
        attempt: 0,
        fence: 0,
        left: [],
        version: 1,
        spec: pi,
      });
    });

    test("twice with one key is one run: the second is told the first one's id", async () => {
      await ledger.submit(submission("pi-1", { key: "nightly" }));
      expect(await ledger.submit(submission("pi-2", { key: "nightly" }))).toEqual({
        run: "pi-1",
        created: false,
      });
      expect(await ledger.list()).toHaveLength(1);
    });

    test("without a key is a new run each time", async () => {
      await ledger.submit(submission("pi-1"));
      expect(await ledger.submit(submission("pi-2"))).toEqual({ run: "pi-2", created: true });
    });

    test("the order of a spec's members does not make it another one", async () => {
      await ledger.submit(submission("pi-1", { key: "nightly" }));
      const turned = Object.fromEntries(Object.entries(pi).reverse());
      const spec = { ...pi, ...turned };
      expect((await ledger.submit(submission("pi-2", { key: "nightly", spec }))).created).toBe(false);
    });

    test.each([
      ["spec", { spec: { ...pi, arguments: ["1000"] } }],
      ["environment", { environment: "prod" }],
      ["data interval", { interval: { start: "2026-11-24T00:00:00Z", end: "2026-11-25T00:00:00Z" } }],
    ])(
      "a key that comes again with another %s is refused, and the first run named",
      async (_what, changes) => {
        await ledger.submit(submission("pi-1", { key: "nightly" }));
        const error = await refusal(ledger.submit(submission("pi-2", { key: "nightly", ...changes })));
        expect(error).toMatchObject({ code: "key-reused", exitCode: 73, path: "run pi-1" });
        expect(error.message).toContain("run pi-1 was submitted with it");
        expect(await ledger.list()).toHaveLength(1);
      },
    );

    test("a tenant's keys are its own: another tenant's are neither blocked nor shown by them", async () => {
      await ledger.submit(submission("pi-1", { key: "nightly" }));
      const spec = { ...pi, tenant: "acme" };
      expect(await ledger.submit(submission("pi-2", { key: "nightly", spec }))).toEqual({
        run: "pi-2",
        created: true,
      });
    });

    test("a run id in use is refused", async () => {
      await ledger.submit(submission("pi-1"));
      expect(await refusal(ledger.submit(submission("pi-1")))).toMatchObject({
        code: "run-exists",
        exitCode: 73,
      });
    });

    test("six processes that submit one key at once get one run", async () => {
      const ended = await Promise.all(
        Array.from(
          { length: 6 },
          async (_, index) => await helperProcess(url, ["submit", `pi-${index}`, "nightly"]),
        ),
      );
      expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
      const answers = ended.flatMap(({ lines }) => lines.map((line) => line.split(" ")));
      expect(new Set(answers.map(([run]) => run)).size).toBe(1);
      expect(answers.filter(([, how]) => how === "created")).toHaveLength(1);
      expect(await ledger.list()).toHaveLength(1);
    });

    test("specs name secrets, and only their names are stored", async () => {
      await ledger.submit(submission("pi-1"));
      expect((await ledger.get("pi-1")).spec?.secrets).toEqual([
        { env: "DB_PASSWORD", secret: "warehouse", key: "password" },
      ]);
    });
  });

  describe("claim", () => {
    test("takes by priority, then age, and says who has it", async () => {
      await submitMany(ledger, 2);
      await ledger.submit(submission("pi-urgent", { priority: 10 }));
      const taken = [];
      for (let turn = 0; turn < 3; turn++) taken.push((await ledger.claim({ holder: "worker-1" }))?.run);
      expect(taken).toEqual(["pi-urgent", "pi-000", "pi-001"]);
      expect(await ledger.claim({ holder: "worker-1" })).toBeUndefined();
      expect(await ledger.get("pi-000")).toMatchObject({ state: "planning", holder: "worker-1", version: 2 });
    });

    test("hands out the whole run, spec included", async () => {
      await ledger.submit(submission("pi-1"));
      expect((await ledger.claim({ holder: "worker-1" }))?.spec).toEqual(pi);
    });

    test("a run by its id, which then is nobody else's", async () => {
      await submitMany(ledger, 3);
      expect((await ledger.claim({ holder: "worker-1", run: "pi-001" }))?.run).toBe("pi-001");
      expect(await ledger.claim({ holder: "worker-2", run: "pi-001" })).toBeUndefined();
    });

    test("not before its time", async () => {
      await ledger.submit(submission("pi-1", { notBefore: new Date(Date.now() + 60_000).toISOString() }));
      expect(await ledger.claim({ holder: "worker-1" })).toBeUndefined();
      await ledger.submit(submission("pi-2", { notBefore: new Date(Date.now() - 1000).toISOString() }));
      expect((await ledger.claim({ holder: "worker-1" }))?.run).toBe("pi-2");
    });

    test("a run that began in someone's hands was never in the queue", async () => {
      await ledger.submit(submission("pi-1", { holder: "laptop/4711/83" }));
      expect(await ledger.get("pi-1")).toMatchObject({ state: "planning", holder: "laptop/4711/83" });
      expect(await ledger.claim({ holder: "worker-1" })).toBeUndefined();
    });

    test("four worker processes share sixty runs, and none is given to two", async () => {
      const runs = await submitMany(ledger, 60);
      const folder = await mkdtemp(join(tmpdir(), "mayfly-ledger-"));
      const ended = await Promise.all(
        ["a", "b", "c", "d"].map(
          async (name) => await helperProcess(url, ["claim", `worker-${name}`, folder, "4"]),
        ),
      );
      await rm(folder, { recursive: true });
      expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
      const taken = ended.flatMap(({ lines }) => lines);
      expect([...taken].sort()).toEqual(runs);
      // Else they ran one after the other, and the test proves nothing.
      expect(ended.filter(({ lines }) => lines.length > 0).length).toBeGreaterThan(1);
      const holders = new Set((await ledger.list({ states: ["planning"] })).map(({ holder }) => holder));
      expect(holders.size).toBeGreaterThan(1);
    });
  });

  describe("update", () => {
    test("changes what the patch names, and nothing else", async () => {
      await ledger.submit(submission("pi-1"));
      const version = await ledger.update("pi-1", 1, {
        state: "creating",
        attempt: 1,
        phase: "creating",
        plan,
      });
      expect(version).toBe(2);
      expect(await ledger.get("pi-1")).toMatchObject({
        state: "creating",
        attempt: 1,
        phase: "creating",
        plan,
        namespace: plan.namespace,
        stack: plan.stack,
        spec: pi,
        version: 2,
      });
    });

    test("an outcome that is no success is the failure class too; undefined takes both away", async () => {
      await ledger.submit(submission("pi-1"));
      const message = "The node went away.";
      await ledger.update("pi-1", 1, { state: "lost", outcome: { kind: "lost", message } });
      expect(await ledger.get("pi-1")).toMatchObject({
        failureClass: "lost",
        outcome: { kind: "lost", message },
      });
      await ledger.update("pi-1", 2, { state: "queued", outcome: undefined });
      const again = await ledger.get("pi-1");
      expect([again.outcome, again.failureClass]).toEqual([undefined, undefined]);
    });

    test("a stale version is refused, and nothing changes", async () => {
      await ledger.submit(submission("pi-1", { holder: "worker-1" }));
      await ledger.update("pi-1", 1, { state: "creating" });
      expect(await refusal(ledger.update("pi-1", 1, { state: "running" }))).toMatchObject({
        code: "run-changed",
        exitCode: 73,
        message: "Another helper changed run pi-1 meanwhile. Its holder is worker-1.",
      });
      expect((await ledger.get("pi-1")).state).toBe("creating");
    });

    test("of ten changes of one version at once exactly one is made", async () => {
      await ledger.submit(submission("pi-1"));
      const results = await Promise.allSettled(
        Array.from({ length: 10 }, async (_, fence) => await ledger.update("pi-1", 1, { fence })),
      );
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect((await ledger.get("pi-1")).version).toBe(2);
    });
  });

  describe("a run that is not there", () => {
    test("is told with the nearest id that is", async () => {
      await ledger.submit(submission("count-11240702-r66wd"));
      const error = await refusal(ledger.get("count-11240702-r66we"));
      expect(error).toMatchObject({ code: "unknown-run", exitCode: 66 });
      expect(error.hint).toContain("Did you mean count-11240702-r66wd?");
    });

    test.each(["", "../../etc/passwd", "'; drop table runs; --"])(
      "is none of the ledger's mistakes: %j",
      async (run) => {
        await ledger.submit(submission("pi-1"));
        for (const call of [
          async () => {
            await ledger.get(run);
          },
          async () => {
            await ledger.update(run, 1, { state: "running" });
          },
          async () => {
            await ledger.requestCancel(run);
          },
          async () => {
            await ledger.append(run, [warning(run, "?")]);
          },
          async () => {
            await ledger.events(run);
          },
          async () => {
            await ledger.forget(run, 1);
          },
        ]) {
          expect((await refusal(call())).code).toBe("unknown-run");
        }
        expect(await ledger.list()).toHaveLength(1);
      },
    );
  });

  describe("cancel", () => {
    test("of a queued run ends it at once: nothing of it exists", async () => {
      await ledger.submit(submission("pi-1"));
      expect(await ledger.requestCancel("pi-1")).toMatchObject({
        state: "cancelled",
        failureClass: "cancelled",
      });
      expect(await ledger.claim({ holder: "worker-1" })).toBeUndefined();
    });

    test("of a run at work is a message to its holder, whose version stays", async () => {
      await ledger.submit(submission("pi-1", { holder: "worker-1" }));
      const { cancelRequestedAt, state, version } = await ledger.requestCancel("pi-1");
      expect([state, version]).toEqual(["planning", 1]);
      expect(Date.parse(cancelRequestedAt ?? "")).toBeGreaterThan(Date.now() - 60_000);
    });

    test("asked for again changes nothing", async () => {
      await ledger.submit(submission("pi-1", { holder: "worker-1" }));
      const first = await ledger.requestCancel("pi-1");
      expect(await ledger.requestCancel("pi-1")).toEqual(first);
      await ledger.submit(submission("pi-2"));
      const queued = await ledger.requestCancel("pi-2");
      expect(await ledger.requestCancel("pi-2")).toEqual(queued);
    });

    test.each(["succeeded", "failed", "lost"] as const)("of a run that %s is refused", async (state) => {
      await ledger.submit(submission("pi-1"));
      await ledger.update("pi-1", 1, { state });
      expect(await refusal(ledger.requestCancel("pi-1"))).toMatchObject({
        code: "run-finished",
        exitCode: 73,
        message: `Run pi-1 has ended already: ${state}.`,
      });
    });
  });

  describe("events", () => {
    test("come back in the order in which they were appended, from any place on", async () => {
      await ledger.submit(submission("pi-1"));
      expect(await ledger.append("pi-1", [warning("pi-1", "one"), warning("pi-1", "two")])).toBe(2);
      expect(await ledger.append("pi-1", [warning("pi-1", "three")])).toBe(3);
      const all = await ledger.events("pi-1");
      expect(all.events.map(({ seq, event }) => [seq, "message" in event && event.message])).toEqual([
        [1, "one"],
        [2, "two"],
        [3, "three"],
      ]);
      expect((await ledger.events("pi-1", 2)).events.map(({ seq }) => seq)).toEqual([3]);
      expect((await ledger.events("pi-1", 3)).events).toEqual([]);
    });

    test("two thousand at once", async () => {
      await ledger.submit(submission("pi-1"));
      const many = Array.from({ length: 2000 }, (_, index) => warning("pi-1", String(index)));
      expect(await ledger.append("pi-1", many)).toBe(2000);
      expect((await ledger.events("pi-1")).events.map(({ event }) => event)).toEqual(many);
    });

    test("of two processes that append at once lie whole and in each one's order", async () => {
      await ledger.submit(submission("pi-1"));
      const ended = await Promise.all(
        ["a", "b"].map(async (name) => await helperProcess(url, ["append", "pi-1", name])),
      );
      expect(ended.map(({ code, lines, stderr }) => [code, lines, stderr])).toEqual([
        [0, [], ""],
        [0, [], ""],
      ]);
      const { events } = await ledger.events("pi-1");
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
      for (const name of ["a", "b"]) {
        const own = events.flatMap(({ event }) => ("message" in event ? [event.message] : []));
        expect(own.filter((text) => text.startsWith(name))).toEqual(
          Array.from({ length: 50 }, (_, index) => `${name} ${index}`),
        );
      }
    });
  });

  describe("lists", () => {
    beforeEach(async () => {
      await submitMany(ledger, 3);
      const at = "2026-11-20T00:00:00.000Z";
      await ledger.submit(
        submission("etl-1", { spec: { ...pi, name: "etl", tenant: "acme" }, submittedAt: at }),
      );
      await ledger.update("pi-000", 1, { state: "succeeded" });
      await ledger.update("pi-001", 1, { state: "failed", left: ["Namespace demo-pi-001"] });
    });
    const ids = async (filter: Parameters<Ledger["list"]>[0]): Promise<string[]> =>
      (await ledger.list(filter)).map(({ run }) => run);

    test.each([
      ["all, newest first", {}, ["pi-002", "pi-001", "pi-000", "etl-1"]],
      ["by state", { states: ["succeeded", "failed"] }, ["pi-001", "pi-000"]],
      ["by no state at all", { states: [] }, []],
      ["by tenant", { tenant: "acme" }, ["etl-1"]],
      ["by job", { job: "pi" }, ["pi-002", "pi-001", "pi-000"]],
      ["by time", { since: "2026-11-24T06:00:01.000Z" }, ["pi-002", "pi-001"]],
      ["what left something", { leftBehind: true }, ["pi-001"]],
      ["at most so many", { limit: 2 }, ["pi-002", "pi-001"]],
      ["by all together", { states: ["queued"], tenant: "demo", job: "pi", limit: 5 }, ["pi-002"]],
    ] as const)("%s", async (_name, filter, expected) => {
      expect(await ids(filter)).toEqual(expected);
    });

    test("a job's history is its runs, newest first", async () => {
      expect((await ledger.history("pi", { limit: 2 })).map(({ run }) => run)).toEqual(["pi-002", "pi-001"]);
      expect(await ledger.history("pi", { tenant: "acme" })).toEqual([]);
    });

    test("the history of an unknown job names the nearest that is known", async () => {
      const error = await refusal(ledger.history("ety"));
      expect(error).toMatchObject({ code: "unknown-job", exitCode: 66 });
      expect(error.hint).toContain('Did you mean "etl"?');
    });
  });

  describe("retention", () => {
    const old = "2026-01-01T00:00:00.000Z";

    test("forgets what ended long ago, with its events and leases", async () => {
      await ledger.submit(submission("pi-1", { holder: "worker-1" }));
      await ledger.append("pi-1", [warning("pi-1", "old")]);
      await ledger.noteLease("pi-1", { holder: "worker-1", fence: 1 });
      await ledger.update("pi-1", 1, { state: "succeeded", endedAt: old });
      await ledger.submit(submission("pi-2"));
      await ledger.update("pi-2", 1, { state: "succeeded", endedAt: new Date().toISOString() });
      expect(await ledger.prune("2026-06-01T00:00:00.000Z")).toBe(1);
      expect((await ledger.list()).map(({ run }) => run)).toEqual(["pi-2"]);
      expect(await ledger.leases("pi-1")).toEqual([]);
      // The id is free again, and nothing of the old run clings to it.
      await ledger.submit(submission("pi-1"));
      expect((await ledger.events("pi-1")).events).toEqual([]);
    });

    test.each(["queued", "planning", "creating", "running", "finishing", "destroying", "kept"] as const)(
      "never forgets a run that is %s, however old",
      async (state) => {
        await ledger.submit(submission("pi-1"));
        await ledger.update("pi-1", 1, { state, endedAt: old });
        expect(await ledger.prune("2026-06-01T00:00:00.000Z")).toBe(0);
      },
    );

    test("never forgets a run of which something is still there", async () => {
      await ledger.submit(submission("pi-1"));
      await ledger.update("pi-1", 1, { state: "failed", endedAt: old, left: ["Namespace demo-pi-1"] });
      expect(await ledger.prune("2026-06-01T00:00:00.000Z")).toBe(0);
    });
  });

  test("notes each holder of a lease once, in the order of fences", async () => {
    await ledger.submit(submission("pi-1"));
    await ledger.noteLease("pi-1", { holder: "worker-2", fence: 2 });
    await ledger.noteLease("pi-1", { holder: "worker-1", fence: 1 });
    await ledger.noteLease("pi-1", { holder: "worker-1", fence: 1 });
    await ledger.noteLease("pi-forgotten", { holder: "worker-1", fence: 1 });
    expect((await ledger.leases("pi-1")).map(({ holder, fence }) => [holder, fence])).toEqual([
      ["worker-1", 1],
      ["worker-2", 2],
    ]);
    expect(await ledger.leases("pi-forgotten")).toEqual([]);
  });

  test("a run that made nothing is forgotten, if nobody else changed it", async () => {
    await ledger.submit(submission("pi-1"));
    expect((await refusal(ledger.forget("pi-1", 7))).code).toBe("run-changed");
    await ledger.forget("pi-1", 1);
    expect((await refusal(ledger.get("pi-1"))).code).toBe("unknown-run");
  });

  test("a run from elsewhere is taken over as it is, once", async () => {
    await ledger.submit(submission("pi-1"));
    const run = {
      ...(await ledger.get("pi-1")),
      run: "pi-2",
      spec: undefined,
      state: "succeeded" as const,
      plan,
    };
    expect(await ledger.adopt(run)).toBe(true);
    expect(await ledger.adopt({ ...run, state: "failed" })).toBe(false);
    expect(await ledger.get("pi-2")).toEqual({ ...run, namespace: plan.namespace, stack: plan.stack });
  });

  test("eight helpers that open a new ledger at once all find it whole", async () => {
    const fresh = await store.another();
    const ended = await Promise.all(
      Array.from({ length: 8 }, async () => await helperProcess(fresh, ["open"])),
    );
    expect(ended.map(({ code, stderr }) => [code, stderr])).toEqual(ended.map(() => [0, ""]));
  });

  test("what another version wrote is told by run and part, and hides no other run", async () => {
    await submitMany(ledger, 2);
    await ledger.update("pi-001", 1, { plan });
    const damaged = { ...plan, apiVersion: "mayfly.dev/plan/v9" };
    // @ts-expect-error A plan of a version that is not written yet.
    await ledger.update("pi-001", 2, { plan: damaged });
    expect(await refusal(ledger.get("pi-001"))).toMatchObject({
      code: "run-unreadable",
      message: "The plan of run pi-001 is not of a form that this version reads.",
    });
    // Lists and the way to destroy it still work.
    expect(await ledger.list()).toMatchObject([
      { run: "pi-001", namespace: plan.namespace, stack: plan.stack },
      {},
    ]);
  });
});

// What a ledger keeps of streams, held on each database that it may be kept in.
import { beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import type { Ledger, Savepoint, Submission, Wish } from "../../jobs/ledger/index.ts";
import { JobSpec } from "../../schema/job.ts";
import { containing } from "../harness/expect.ts";
import { clicks } from "../unit/stream/clicks.ts";
import { onEachStore } from "./each-store.ts";
import { submission } from "./stores.ts";

const stream = (run: string, changes: Partial<Submission> = {}): Submission =>
  submission(run, { spec: clicks, holder: "helper-1", ...changes });

const at = "2026-11-24T06:00:00.000Z";
const suspend = (id: string): Wish => ({ id, at, kind: "suspend" });

const savepoint = (location: string, changes: Partial<Savepoint> = {}): Savepoint => ({
  location,
  run: "clicks-1",
  tenant: "demo",
  job: "clicks",
  environment: "lab",
  attempt: 1,
  kind: "savepoint",
  reason: "suspend",
  flinkVersion: "2.3.0",
  format: "native",
  at,
  ...changes,
});

async function refusal(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
}

onEachStore("a ledger of streams", (store) => {
  let ledger: Ledger;
  beforeEach(() => {
    ({ ledger } = store);
  });

  describe("a wish", () => {
    test("is told to the holder alone, changes nothing that the holder owns, and is gone when it is answered", async () => {
      await ledger.submit(stream("clicks-1"));
      const rescale: Wish = { id: "w1", at, kind: "rescale", taskManagers: 2, parallelism: 4 };
      expect(await ledger.wish("clicks-1", rescale)).toEqual(rescale);
      expect(await ledger.wished("helper-1")).toEqual([{ run: "clicks-1", cancel: false, wish: rescale }]);
      expect(await ledger.wished("helper-2")).toEqual([]);
      expect(await ledger.get("clicks-1")).toMatchObject({ version: 1, state: "planning", wish: rescale });
      const spec = JobSpec.parse({ ...clicks, taskManagers: { count: 2 }, parallelism: 4 });
      await ledger.update("clicks-1", 1, { wish: undefined, spec });
      expect(await ledger.wished("helper-1")).toEqual([]);
      const after = await ledger.get("clicks-1");
      expect([after.wish, after.spec]).toEqual([undefined, spec]);
    });

    test("stays through changes of its holder that do not answer it", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.wish("clicks-1", suspend("w1"));
      await ledger.update("clicks-1", 1, { state: "running", phase: "running" });
      expect((await ledger.get("clicks-1")).wish).toEqual(suspend("w1"));
    });

    test("comes beside the wish for the run's end", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.wish("clicks-1", suspend("w1"));
      await ledger.requestCancel("clicks-1");
      expect(await ledger.wished("helper-1")).toEqual([
        { run: "clicks-1", cancel: true, wish: suspend("w1") },
      ]);
    });

    test("to suspend, asked twice, is one: the second is told the first", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.wish("clicks-1", suspend("w1"));
      expect(await ledger.wish("clicks-1", suspend("w2"))).toEqual(suspend("w1"));
    });

    test("to suspend at a checkpoint takes the place of one that waits for a savepoint, and not the other way round", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.wish("clicks-1", suspend("w1"));
      const lastState = "s3://demo-output/state/chk-7";
      const content: Wish = { id: "w2", at, kind: "suspend", lastState };
      expect(await ledger.wish("clicks-1", content)).toEqual(content);
      expect(await ledger.wish("clicks-1", suspend("w3"))).toEqual(content);
      expect((await ledger.get("clicks-1")).wish).toEqual(content);
    });

    test("of several to suspend at once exactly one stands, and all are told which", async () => {
      await ledger.submit(stream("clicks-1"));
      const told = await Promise.all(
        Array.from({ length: 6 }, async (_, index) => await ledger.wish("clicks-1", suspend(`w${index}`))),
      );
      expect(new Set(told.map(({ id }) => id)).size).toBe(1);
    });

    test("while another one waits is refused, and says what waits", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.wish("clicks-1", { id: "w1", at, kind: "savepoint" });
      const error = await refusal(ledger.wish("clicks-1", suspend("w2")));
      expect(error).toMatchObject({ code: "wish-pending", exitCode: 73, path: "run clicks-1" });
      expect(error.message).toContain("a savepoint to do");
    });

    test("of a run that is over is refused", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.update("clicks-1", 1, { state: "failed" });
      expect(await refusal(ledger.wish("clicks-1", suspend("w1")))).toMatchObject({
        code: "run-finished",
        exitCode: 73,
        message: "Run clicks-1 has ended already: failed.",
      });
    });

    test("of a job that ends by itself is refused", async () => {
      await ledger.submit(submission("pi-1", { holder: "helper-1" }));
      const error = await refusal(ledger.wish("pi-1", suspend("w1")));
      expect(error).toMatchObject({ code: "not-a-stream", exitCode: 73 });
      expect(error.hint).toContain("npx mayfly cancel pi-1");
    });

    test("of a run that is not there names the nearest", async () => {
      await ledger.submit(stream("clicks-1"));
      expect((await refusal(ledger.wish("clicks-2", suspend("w1")))).code).toBe("unknown-run");
    });
  });

  describe("one live run of a stream", () => {
    const exclusive = { exclusive: true };

    test("is all there is: a second one is refused, and told the first", async () => {
      await ledger.submit(stream("clicks-1"), exclusive);
      const error = await refusal(ledger.submit(stream("clicks-2"), exclusive));
      expect(error).toMatchObject({ code: "stream-is-live", exitCode: 73, path: "run clicks-1" });
      expect(error.hint).toContain("npx mayfly suspend clicks-1");
      expect(await ledger.list()).toHaveLength(1);
    });

    test("of several that start at once exactly one begins", async () => {
      const started = await Promise.allSettled(
        Array.from(
          { length: 6 },
          async (_, index) => await ledger.submit(stream(`clicks-${index}`), exclusive),
        ),
      );
      expect(started.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      expect(await ledger.list()).toHaveLength(1);
    });

    test.each(["suspended", "failed", "cancelled", "lost", "succeeded"] as const)(
      "does not count one that is %s",
      async (state) => {
        await ledger.submit(stream("clicks-1"), exclusive);
        await ledger.update("clicks-1", 1, { state });
        expect((await ledger.submit(stream("clicks-2"), exclusive)).created).toBe(true);
      },
    );

    test.each([
      ["tenant", { spec: { ...clicks, tenant: "acme" } }],
      ["job", { spec: { ...clicks, name: "orders" } }],
      ["environment", { environment: "prod" }],
    ])("does not count another %s's", async (_what, changes) => {
      await ledger.submit(stream("clicks-1"), exclusive);
      expect((await ledger.submit(stream("clicks-2", changes), exclusive)).created).toBe(true);
    });

    test("by a key that was used gives the run that it made, live or not", async () => {
      await ledger.submit(stream("clicks-1", { key: "resumed/clicks-0" }), exclusive);
      expect(await ledger.submit(stream("clicks-2", { key: "resumed/clicks-0" }), exclusive)).toEqual({
        run: "clicks-1",
        created: false,
      });
    });
  });

  describe("savepoints", () => {
    test("come back as they were noted, newest first, and once", async () => {
      const first = savepoint("s3://demo-state/clicks/savepoints/1");
      const second = savepoint("s3://demo-state/clicks/savepoints/2", {
        at: "2026-11-24T07:00:00.000Z",
        kind: "checkpoint",
        reason: "periodic",
        format: "canonical",
        attempt: 3,
      });
      for (const one of [first, second, first]) await ledger.recordSavepoint(one);
      expect(await ledger.savepoints({ tenant: "demo", job: "clicks" })).toEqual([second, first]);
    });

    test.each([
      ["tenant", { tenant: "acme" }],
      ["job", { job: "orders" }],
      ["run", { run: "clicks-2" }],
      ["environment", { environment: "prod" }],
    ] as const)("are found by %s", async (_what, filter) => {
      await ledger.recordSavepoint(savepoint("s3://demo-state/1"));
      await ledger.recordSavepoint(savepoint("s3://demo-state/2", filter));
      expect((await ledger.savepoints(filter)).map(({ location }) => location)).toEqual([
        "s3://demo-state/2",
      ]);
    });

    test("that were deleted are shown to those alone who ask for them", async () => {
      await ledger.recordSavepoint(savepoint("s3://demo-state/1"));
      await ledger.savepointDeleted("s3://demo-state/1", "2026-11-25T00:00:00.000Z");
      await ledger.savepointDeleted("s3://demo-state/1", "2026-11-26T00:00:00.000Z");
      expect(await ledger.savepoints({ job: "clicks" })).toEqual([]);
      expect(await ledger.savepoints({ job: "clicks", deleted: true })).toEqual([
        savepoint("s3://demo-state/1", { deletedAt: "2026-11-25T00:00:00.000Z" }),
      ]);
    });

    test("that are not known can't be deleted", async () => {
      expect(
        await refusal(ledger.savepointDeleted("s3://demo-state/9", "2026-11-25T00:00:00.000Z")),
      ).toMatchObject({ code: "unknown-savepoint", exitCode: 66, path: "s3://demo-state/9" });
    });

    test("of a kind that a newer version wrote are told, not taken for another", async () => {
      // @ts-expect-error A kind that is not there yet.
      await ledger.recordSavepoint(savepoint("s3://demo-state/1", { kind: "snapshot" }));
      expect(await refusal(ledger.savepoints({ job: "clicks" }))).toMatchObject({
        code: "run-unreadable",
        message: containing("kind of a savepoint"),
      });
    });

    test("outlive the run that made them", async () => {
      await ledger.submit(stream("clicks-1"));
      await ledger.recordSavepoint(savepoint("s3://demo-state/1"));
      await ledger.update("clicks-1", 1, { state: "cancelled", endedAt: at });
      expect(await ledger.prune("2026-12-01T00:00:00.000Z")).toBe(1);
      expect(await ledger.savepoints({ job: "clicks" })).toHaveLength(1);
    });
  });

  test("never forgets a suspended stream that nothing went on from, however long ago", async () => {
    await ledger.submit(stream("clicks-1"));
    await ledger.update("clicks-1", 1, { state: "suspended", endedAt: at });
    expect(await ledger.prune("2026-12-01T00:00:00.000Z")).toBe(0);
    // Another tenant's key is none of it.
    await ledger.submit(stream("other-1", { key: "resumed/clicks-1", spec: { ...clicks, tenant: "acme" } }));
    expect(await ledger.prune("2026-12-01T00:00:00.000Z")).toBe(0);
    await ledger.submit(stream("clicks-2", { key: "resumed/clicks-1" }));
    expect(await ledger.prune("2026-12-01T00:00:00.000Z")).toBe(1);
    expect((await ledger.list({ tenant: "demo" })).map(({ run }) => run)).toEqual(["clicks-2"]);
  });
});

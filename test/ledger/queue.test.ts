// What workers ask of the queue, on each database: how much there is, what may be next, and places that are never given twice.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../base/errors.ts";
import type { RunStateName, Submission } from "../../jobs/ledger/index.ts";
import { onEachStore } from "./each-store.ts";
import { helperProcess, pi, submission } from "./stores.ts";

const MACHINE = '{"phase":"queued"}';
const forWorkers = (run: string, tenant = "demo", changes: Partial<Submission> = {}): Submission =>
  submission(run, { spec: { ...pi, tenant }, machine: MACHINE, ...changes });
const minute = (number: number): string => new Date(Date.UTC(2026, 10, 24, 6, number)).toISOString();

onEachStore("the queue", (store) => {
  const submit = async (...submissions: readonly Submission[]): Promise<void> => {
    for (const one of submissions) await store.ledger.submit(one);
  };
  /** As a worker would: queued runs come to a state by changes. */
  const put = async (run: string, state: RunStateName): Promise<void> => {
    await store.ledger.update(run, (await store.ledger.get(run)).version, { state });
  };

  describe("how much there is", () => {
    test("is told by tenant: waiting, at work, kept; of one environment, and of runs that workers work on", async () => {
      await submit(
        ...["acme-1", "acme-2", "acme-3", "acme-4", "acme-5"].map((run) => forWorkers(run, "acme")),
        forWorkers("globex-1", "globex"),
        forWorkers("elsewhere", "acme", { environment: "prod" }),
        submission("foreground", { spec: { ...pi, tenant: "acme" }, holder: "laptop/4711/83" }),
      );
      await put("acme-2", "running");
      await put("acme-3", "destroying");
      await put("acme-4", "kept");
      await put("acme-5", "succeeded");
      const load = await store.ledger.load("lab");
      expect(load.toSorted((a, b) => (a.tenant < b.tenant ? -1 : 1))).toEqual([
        { tenant: "acme", queued: 1, working: 2, kept: 1 },
        { tenant: "globex", queued: 1, working: 0, kept: 0 },
      ]);
      expect(await store.ledger.load("lab", ["acme-1", "acme-2", "acme-3", "acme-4"])).toEqual([
        { tenant: "globex", queued: 1, working: 0, kept: 0 },
      ]);
    });
  });

  describe("what may be next", () => {
    const heads = async (query: { perTenant: number; without?: string[]; except?: string[] }) =>
      (await store.ledger.heads({ environment: "lab", ...query })).map(({ run }) => run).sort();

    test("is of each tenant so many by priority and so many by age", async () => {
      await submit(
        forWorkers("acme-old", "acme", { submittedAt: minute(1), priority: -5 }),
        forWorkers("acme-mid", "acme", { submittedAt: minute(2), priority: -5 }),
        forWorkers("acme-urgent", "acme", { submittedAt: minute(3), priority: 10_000 }),
        forWorkers("acme-new", "acme", { submittedAt: minute(4) }),
        forWorkers("globex-1", "globex", { submittedAt: minute(5) }),
      );
      expect(await heads({ perTenant: 1 })).toEqual(["acme-old", "acme-urgent", "globex-1"]);
      expect(await heads({ perTenant: 2 })).toEqual([
        "acme-mid",
        "acme-new",
        "acme-old",
        "acme-urgent",
        "globex-1",
      ]);
      expect(await heads({ perTenant: 9, without: ["acme"] })).toEqual(["globex-1"]);
      expect(await heads({ perTenant: 1, except: ["acme-old", "globex-1"] })).toEqual([
        "acme-mid",
        "acme-urgent",
      ]);
    });

    test("comes with all that a choice is made by", async () => {
      const notBefore = minute(9);
      await submit(forWorkers("acme-1", "acme", { submittedAt: minute(1), notBefore, priority: 3 }));
      expect(await store.ledger.heads({ environment: "lab", perTenant: 1 })).toEqual([
        { run: "acme-1", tenant: "acme", priority: 3, submittedAt: minute(1), notBefore },
      ]);
    });

    test("is not what is not due yet, and a further attempt waits behind what came before it was due", async () => {
      const later = new Date(Date.now() + 60_000).toISOString();
      await submit(
        forWorkers("acme-retried", "acme", { submittedAt: minute(1), notBefore: minute(8) }),
        forWorkers("acme-waiting", "acme", { submittedAt: minute(5) }),
        forWorkers("acme-later", "acme", { submittedAt: minute(0), notBefore: later }),
      );
      expect(await heads({ perTenant: 1 })).toEqual(["acme-waiting"]);
      expect(await heads({ perTenant: 9 })).toEqual(["acme-retried", "acme-waiting"]);
    });
  });

  describe("a tenant's places", () => {
    test("are given while there are some, in its own environment, and again once one is free", async () => {
      const { ledger } = store;
      await submit(
        ...["acme-1", "acme-2", "acme-3"].map((run) => forWorkers(run, "acme")),
        forWorkers("elsewhere", "acme", { environment: "prod" }),
        forWorkers("globex-1", "globex"),
      );
      const claim = async (run: string) => (await ledger.claim({ holder: "worker-1", run, running: 2 }))?.run;
      expect(await claim("elsewhere")).toBe("elsewhere");
      expect(await claim("acme-1")).toBe("acme-1");
      expect(await claim("acme-2")).toBe("acme-2");
      expect(await claim("acme-3")).toBeUndefined();
      expect(await ledger.get("acme-3")).toMatchObject({ state: "queued", version: 1 });
      expect(await claim("globex-1")).toBe("globex-1");
      await put("acme-1", "kept");
      expect(await claim("acme-3")).toBeUndefined();
      await put("acme-1", "succeeded");
      expect(await claim("acme-3")).toBe("acme-3");
    });

    test("four workers at once never take one more than there are", {
      timeout: 120_000,
    }, async () => {
      const limit = 3;
      const runs = Array.from({ length: 40 }, (_, index) => `acme-${index}`);
      await submit(...runs.map((run) => forWorkers(run, "acme")));
      const meeting = join(store.folder, "meeting");
      await mkdir(meeting);
      const ended = await Promise.all(
        ["a", "b", "c", "d"].map(
          async (name) =>
            await helperProcess(store.url, ["places", `worker-${name}`, meeting, "4", String(limit)]),
        ),
      );
      expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
      const held = ended.flatMap(({ lines }) =>
        lines.map((line) => {
          const [run = "", from = "", to = ""] = line.split(" ");
          return { run, from: Number(from), to: Number(to) };
        }),
      );
      expect(held.map(({ run }) => run).sort()).toEqual([...runs].sort());
      // At each moment when one was taken, by the machine's one monotonic clock.
      const together = held.map(
        ({ from }) => held.filter((other) => other.from <= from && from < other.to).length,
      );
      expect(Math.max(...together)).toBeLessThanOrEqual(limit);
      expect(Math.max(...together)).toBeGreaterThan(1);
      // Else one took all, and the test proves nothing.
      expect(ended.filter(({ lines }) => lines.length > 0).length).toBeGreaterThan(1);
    });
  });

  describe("a run that this version can't work on", () => {
    test("stays in the queue as it was", async () => {
      const { ledger } = store;
      await submit(forWorkers("acme-1", "acme"));
      const refuse = (): never => {
        throw new UserError("run-unreadable", "Of another version.");
      };
      await expect(
        ledger.claim({ holder: "worker-1", run: "acme-1", running: 9, accept: refuse }),
      ).rejects.toMatchObject({
        code: "run-unreadable",
      });
      expect(await ledger.get("acme-1")).toMatchObject({ state: "queued", version: 1, holder: undefined });
      expect((await ledger.claim({ holder: "worker-2", run: "acme-1", running: 9 }))?.run).toBe("acme-1");
    });

    test("hides no other run from lists that say what to do with it", async () => {
      const { ledger } = store;
      await submit(forWorkers("acme-1", "acme"), forWorkers("acme-2", "acme"));
      // @ts-expect-error A state of a version that is not written yet.
      await ledger.update("acme-1", 1, { state: "hibernating" });
      await expect(ledger.list()).rejects.toMatchObject({ code: "run-unreadable" });
      const unreadable: string[] = [];
      const onUnreadable = (run: string, { code }: UserError): void => {
        unreadable.push(`${run}: ${code}`);
      };
      expect((await ledger.list({ onUnreadable })).map(({ run }) => run)).toEqual(["acme-2"]);
      expect(unreadable).toEqual(["acme-1: run-unreadable"]);
    });
  });

  describe("whose end is wished", () => {
    test("is told to the holder alone, until it has ended", async () => {
      const { ledger } = store;
      await submit(...["acme-1", "acme-2", "acme-3", "acme-4"].map((run) => forWorkers(run, "acme")));
      await ledger.claim({ holder: "worker-1", run: "acme-1" });
      await ledger.claim({ holder: "worker-1", run: "acme-2" });
      await ledger.claim({ holder: "worker-2", run: "acme-3" });
      for (const run of ["acme-1", "acme-3", "acme-4"]) await ledger.requestCancel(run);
      expect(await ledger.wished("worker-1")).toEqual([{ run: "acme-1", cancel: true, wish: undefined }]);
      expect(await ledger.wished("worker-3")).toEqual([]);
      const { version } = await ledger.get("acme-1");
      await ledger.update("acme-1", version, { state: "cancelled", endedAt: minute(1) });
      expect(await ledger.wished("worker-1")).toEqual([]);
    });
  });

  describe("who may wait", () => {
    const admit =
      (most: number) =>
      (queued: number): void => {
        if (queued >= most) throw new UserError("queue-full", `${queued} wait`);
      };

    test("is asked with how many of its tenant wait; a key's first run is found however many", async () => {
      const { ledger } = store;
      const add = async (run: string, key?: string) =>
        await ledger.submit(forWorkers(run, "acme", { key }), { admit: admit(2) });
      await submit(
        forWorkers("globex-1", "globex"),
        forWorkers("elsewhere", "acme", { environment: "prod" }),
      );
      await add("acme-1", "nightly");
      await add("acme-2");
      await expect(add("acme-3")).rejects.toMatchObject({ code: "queue-full", message: "2 wait" });
      expect(await add("acme-4", "nightly")).toEqual({ run: "acme-1", created: false });
      await put("acme-1", "running");
      expect(await add("acme-5")).toEqual({ run: "acme-5", created: true });
    });

    test("is never more than may, however many ask at once", async () => {
      const ended = await Promise.all(
        ["a", "b", "c", "d"].map(
          async (name) => await helperProcess(store.url, ["admitted", `acme-${name}`, "8", "20"]),
        ),
      );
      expect(ended.map(({ stderr }) => stderr).join("")).toBe("");
      expect(ended.flatMap(({ lines }) => lines).filter((line) => line === "queue-full")).toHaveLength(12);
      expect(await store.ledger.list({ states: ["queued"] })).toHaveLength(20);
    });
  });

  describe("a key", () => {
    test("finds the run that it made, of its own tenant", async () => {
      await submit(forWorkers("acme-1", "acme", { key: "nightly" }));
      expect(await store.ledger.find("acme", "nightly")).toBe("acme-1");
      expect(await store.ledger.find("globex", "nightly")).toBeUndefined();
    });

    test("that was submitted to an older version is the same, though specs have got fields since", async () => {
      const { ledger } = store;
      const run = forWorkers("acme-1", "acme", { key: "nightly" });
      const older = { ...run.spec, serviceLevel: undefined };
      // @ts-expect-error A spec as it was before there were service levels.
      await ledger.submit({ ...run, spec: older });
      expect(await ledger.submit({ ...run, run: "acme-2" })).toEqual({ run: "acme-1", created: false });
      const urgent = { ...run.spec, serviceLevel: { class: "urgent" as const, spot: "never" as const } };
      await expect(ledger.submit({ ...run, run: "acme-3", spec: urgent })).rejects.toMatchObject({
        code: "key-reused",
      });
    });
  });

  test("what ended long ago is forgotten in parts, all of it, with its events", async () => {
    const { ledger } = store;
    const old = minute(0);
    for (let index = 0; index < 450; index++) await submit(forWorkers(`acme-${index}`, "acme"));
    for (let index = 0; index < 430; index++)
      await ledger.update(`acme-${index}`, 1, { state: "succeeded", endedAt: old });
    await ledger.append("acme-0", [{ type: "warning", at: old, run: "acme-0", message: "old" }]);
    expect(await ledger.prune(minute(1))).toBe(430);
    expect(await ledger.list()).toHaveLength(20);
    await submit(forWorkers("acme-0", "acme"));
    expect((await ledger.events("acme-0")).events).toEqual([]);
  });
});

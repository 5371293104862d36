import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Ledger, openLedger } from "../../../jobs/ledger/index.ts";
import { summarize } from "../../../jobs/run/inspect.ts";
import { helperLives, helperOf, holderOf, thisHelper } from "../../../jobs/run/liveness.ts";
import { ledgerRecords, type RunRecord, stateNameOf } from "../../../jobs/run/records.ts";
import { takeOverFiles } from "../../../jobs/run/takeover.ts";
import type { JobSpec } from "../../../schema/job.ts";
import { samplePlans } from "../../harness/samples.ts";
import { pi as spec } from "../../ledger/stores.ts";

const { pi } = samplePlans();
let folder: string;
let ledger: Ledger;
let record: RunRecord & { readonly spec: JobSpec };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-records-"));
  ledger = await openLedger(`sqlite://${folder}/ledger.sqlite`);
  record = {
    spec,
    plan: pi,
    phase: "running",
    state: "active",
    connection: "/srv/lab/connection.json",
    helper: await thisHelper(),
    startedAt: "2026-11-24T06:00:00.000Z",
    left: [],
  };
});
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true });
});

describe("run records in the ledger", () => {
  test("what was put can be read again, by another helper too", async () => {
    const records = ledgerRecords(ledger);
    await records.add(record);
    await records.put({ ...record, phase: "destroying", outcome: { kind: "succeeded" } });
    expect(await ledgerRecords(ledger).get(pi.run)).toEqual({
      ...record,
      phase: "destroying",
      outcome: { kind: "succeeded" },
    });
    expect(await ledger.get(pi.run)).toMatchObject({ state: "destroying", attempt: 1, stack: pi.stack });
  });

  test("a second attempt takes the first one's outcome away", async () => {
    const records = ledgerRecords(ledger);
    await records.add(record);
    await records.put({ ...record, outcome: { kind: "lost", message: "The node went away." } });
    await records.put({ ...record, plan: { ...pi, attempt: 2 } });
    const found = await ledger.get(pi.run);
    expect([found.attempt, found.outcome, found.failureClass]).toEqual([2, undefined, undefined]);
  });

  test("of two helpers that begin the same run only one goes on", async () => {
    const results = await Promise.allSettled([
      ledgerRecords(ledger).add(record),
      ledgerRecords(ledger).add(record),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(ledgerRecords(ledger).add(record)).rejects.toMatchObject({ code: "run-exists" });
  });

  test("a helper whose run was taken over can't write it any more", async () => {
    const first = ledgerRecords(ledger);
    await first.add(record);
    const second = ledgerRecords(ledger);
    await second.put({ ...(await second.get(pi.run)), phase: "destroying" });
    await expect(first.put({ ...record, phase: "collecting" })).rejects.toMatchObject({
      code: "run-changed",
    });
    expect((await ledger.get(pi.run)).state).toBe("destroying");
  });

  test("a run that is only queued has no record yet", async () => {
    const { connection } = record;
    await ledger.submit({ run: "pi-queued", spec, environment: "lab", connection });
    await expect(ledgerRecords(ledger).get("pi-queued")).rejects.toMatchObject({ code: "run-not-planned" });
  });

  test.each([
    [{ state: "active", phase: "preparing" }, "planning"],
    [{ state: "active", phase: "collecting" }, "finishing"],
    [{ state: "active", phase: "verifying" }, "destroying"],
    [{ state: "kept", phase: "collecting" }, "kept"],
    [{ state: "ended", phase: "verifying", outcome: { kind: "succeeded" } }, "succeeded"],
    [{ state: "ended", phase: "verifying", outcome: { kind: "cancelled", message: "by hand" } }, "cancelled"],
    [
      { state: "ended", phase: "verifying", outcome: { kind: "infrastructure", message: "no API" } },
      "failed",
    ],
    [{ state: "ended", phase: "verifying" }, "lost"],
  ] as const)("%j is %s in the ledger", (of, state) => {
    expect(stateNameOf(of)).toBe(state);
  });
});

describe("records of the time before the ledger", () => {
  const old = (run: string): string =>
    JSON.stringify({
      ...record,
      spec: undefined,
      apiVersion: "mayfly.dev/record/v1",
      plan: { ...pi, run },
    });

  test("are taken over once, and the files are kept beside; an unreadable one is told and hides no other", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockReturnValue(undefined);
    await mkdir(join(folder, "runs"));
    await writeFile(join(folder, "runs", "pi-old.json"), old("pi-old"));
    await writeFile(join(folder, "runs", "torn.json"), '{"apiVersion":');
    await takeOverFiles(ledger, folder);
    await takeOverFiles(ledger, folder);
    expect(warn.mock.calls).toEqual([[expect.stringContaining("torn.json")]]);
    warn.mockRestore();
    expect(await ledgerRecords(ledger).get("pi-old")).toEqual({
      ...record,
      spec: undefined,
      plan: { ...pi, run: "pi-old" },
    });
    const kept = (await readdir(folder)).filter((name) => name.startsWith("runs"));
    expect(kept).toEqual([expect.stringMatching(/^runs-before-ledger-\d+$/)]);
    expect((await readdir(join(folder, kept[0] ?? ""))).sort()).toEqual(["pi-old.json", "torn.json"]);
  });
});

describe("what the ledger says today", () => {
  const stateOf = async (changes: Partial<RunRecord>): Promise<string> => {
    const records = ledgerRecords(ledger);
    await records.add(record);
    await records.put({ ...record, ...changes });
    return (await summarize(await ledger.get(pi.run))).state;
  };

  test("this process is alive, and another with its id that started at another time is not it", async () => {
    expect(await helperLives(record.helper)).toBe(true);
    expect(await helperLives({ ...record.helper, startedAt: "1" })).toBe(false);
  });

  test("a helper's name tells it from all others, and is read back", () => {
    expect(helperOf(holderOf(record.helper))).toEqual(record.helper);
    expect(helperOf("worker-1")).toBeUndefined();
  });

  test("an active run whose helper lives is what it is", async () => {
    expect(await stateOf({})).toBe("running");
  });

  test("an active run whose helper died is stale", async () => {
    expect(await stateOf({ helper: { ...record.helper, pid: 2 ** 22 + 1 } })).toBe("stale");
  });

  test("a helper on another machine is never declared dead from here", async () => {
    expect(await stateOf({ helper: { ...record.helper, host: "another-machine" } })).toBe("running");
  });

  test("an ended run is what its outcome says", async () => {
    expect(await stateOf({ state: "ended", outcome: { kind: "succeeded" } })).toBe("succeeded");
  });

  test("an ended run that left something is stale: destroy has work to do", async () => {
    expect(await stateOf({ state: "ended", left: ["Namespace demo-pi"] })).toBe("stale");
  });
});

import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { summarize } from "../../../jobs/run/inspect.ts";
import { helperLives, thisHelper } from "../../../jobs/run/liveness.ts";
import { fileRecords, type RunRecord } from "../../../jobs/run/records.ts";
import { samplePlans } from "../../harness/samples.ts";

const { pi } = samplePlans();
let folder: string;
let record: RunRecord;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-records-"));
  record = {
    apiVersion: "mayfly.dev/record/v1",
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
  await rm(folder, { recursive: true });
});

describe("run records", () => {
  test("what was put can be read again, by its owner only", async () => {
    const records = fileRecords(folder);
    await records.add(record);
    await records.put({ ...record, phase: "destroying" });
    expect(await records.get(pi.run)).toEqual({ ...record, phase: "destroying" });
    const { mode } = await stat(join(folder, `${pi.run}.json`));
    expect(mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual([`${pi.run}.json`]);
  });

  test("of two helpers that begin the same run only one goes on", async () => {
    const records = fileRecords(folder);
    const results = await Promise.allSettled([records.add(record), fileRecords(folder).add(record)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(records.add(record)).rejects.toMatchObject({ code: "run-exists" });
  });

  test("newest first; a file that can't be read is told, not hidden, and does not hide the others", async () => {
    const records = fileRecords(folder);
    await records.add(record);
    const later = { ...record, plan: { ...pi, run: "pi-later" }, startedAt: "2026-11-24T07:00:00.000Z" };
    await records.add(later);
    await writeFile(join(folder, "torn.json"), '{"apiVersion":');
    const unreadable: string[] = [];
    const list = await records.list((file) => unreadable.push(file));
    expect(list.map(({ plan }) => plan.run)).toEqual(["pi-later", pi.run]);
    expect(unreadable).toEqual([join(folder, "torn.json")]);
  });

  test("no folder yet means no runs yet", async () => {
    expect(await fileRecords(join(folder, "none")).list()).toEqual([]);
  });

  test.each(["pi-unknown", "../../etc/passwd", ""])("run %j is unknown", async (run) => {
    await expect(fileRecords(folder).get(run)).rejects.toMatchObject({ code: "unknown-run" });
  });
});

describe("what a record says today", () => {
  test("this process is alive, and another with its id that started at another time is not it", async () => {
    expect(await helperLives(record.helper)).toBe(true);
    expect(await helperLives({ ...record.helper, startedAt: "1" })).toBe(false);
  });

  test("an active run whose helper died is stale", async () => {
    expect((await summarize(record)).state).toBe("running");
    const dead = { ...record, helper: { ...record.helper, pid: 2 ** 22 + 1 } };
    expect((await summarize(dead)).state).toBe("stale");
  });

  test("a helper on another machine is never declared dead from here", async () => {
    const elsewhere = { ...record, helper: { ...record.helper, host: "another-machine" } };
    expect((await summarize(elsewhere)).state).toBe("running");
  });

  test("an ended run that left something is stale: destroy has work to do", async () => {
    expect((await summarize({ ...record, state: "ended" })).state).toBe("ended");
    expect((await summarize({ ...record, state: "ended", left: ["Namespace demo-pi"] })).state).toBe("stale");
  });
});

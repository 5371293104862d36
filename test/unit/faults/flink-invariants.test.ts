import { expect, test } from "vitest";
import type { LedgerRun } from "../../../jobs/ledger/index.ts";
import {
  checkLeft,
  checkNoCheckpoints,
  checkOneLive,
  checkSavepoints,
  leftovers,
  offences,
} from "../../flink/invariants.ts";
import { CHAPTERS } from "../../flink/rows/index.ts";

type Life = Pick<LedgerRun, "run" | "job" | "state" | "startedAt" | "endedAt">;

const life = (run: string, startedAt: string, endedAt?: string): Life => ({
  ...{ run, job: "acme-clicks", startedAt, endedAt },
  state: endedAt === undefined ? "running" : "suspended",
});

test("runs of one stream follow each other", () => {
  expect(checkOneLive([life("clicks-1", "10:00", "10:05"), life("clicks-2", "10:05")]).broken).toEqual([]);
});

test("two live runs of one stream break the promise", () => {
  const { broken } = checkOneLive([life("clicks-1", "10:00"), life("clicks-2", "10:05")]);
  expect(broken).toContain("live at once: clicks-1, clicks-2");
});

test("a run that started before the one before it had ended breaks it, though both have ended", () => {
  const { broken } = checkOneLive([life("clicks-2", "10:04", "10:09"), life("clicks-1", "10:00", "10:05")]);
  expect(broken).toEqual(["clicks-2 started at 10:04, before clicks-1 had ended"]);
});

test("runs of two streams may live at once", () => {
  const other = { ...life("views-1", "10:01"), job: "acme-views" };
  expect(checkOneLive([life("clicks-1", "10:00"), other]).broken).toEqual([]);
});

const SAVEPOINT = "s3://demo-output/flink-suite/clicks/state/clicks/savepoints/savepoint-1";
const KEY = "flink-suite/clicks/state/clicks/savepoints/savepoint-1/_metadata";
const suspended = {
  run: "clicks-1",
  outcome: { kind: "suspended", savepoint: SAVEPOINT, message: "" },
} as const;

test("a suspended run's savepoint must be in the ledger and in S3", () => {
  const known = { location: SAVEPOINT, run: "clicks-1" };
  expect(checkSavepoints([suspended], [known], [KEY]).broken).toEqual([]);
  expect(checkSavepoints([suspended], [], [KEY]).broken).toHaveLength(1);
  expect(checkSavepoints([suspended], [known], []).broken).toHaveLength(1);
  expect(checkSavepoints([suspended], [{ ...known, deletedAt: "10:00" }], []).broken).toEqual([]);
});

test("checkpoints of a suspended run are leftovers, under whatever letters Flink put before them", () => {
  const data = "flink-suite/clicks/state/a0Zx/clicks/clicks-1/1/0f/chk-4/1b";
  expect(checkNoCheckpoints([suspended], [KEY]).broken).toEqual([]);
  expect(checkNoCheckpoints([suspended], [KEY, data]).broken).toEqual([
    `1 objects of clicks-1's checkpoints, such as ${data}`,
  ]);
});

test("a failed run keeps its checkpoints, and one that was suspended by its newest checkpoint that one", () => {
  const data = "flink-suite/clicks/state/clicks/clicks-1/1/0f/chk-4/_metadata";
  const failed = { run: "clicks-1", outcome: { kind: "lost", message: "" } } as const;
  const lastState = {
    run: "clicks-1",
    outcome: {
      kind: "suspended",
      savepoint: `s3://demo-output/${data.replace("/_metadata", "")}`,
      message: "",
    },
  } as const;
  expect(checkNoCheckpoints([failed], [data]).broken).toEqual([]);
  expect(checkNoCheckpoints([lastState], [data]).broken).toEqual([]);
});

test("what the ledger notes as left is broken", () => {
  expect(checkLeft([{ run: "clicks-1", left: ["Namespace clicks-1"] }]).broken).toHaveLength(1);
});

const lines = (...numbers: readonly number[]): string => numbers.map((n) => `0,${n + 1},${n}\n`).join("");

test("counts are exact where every number is there once", () => {
  expect(offences([{ name: "part-0", text: lines(0, 1, 2) }], true)).toEqual([]);
});

test("a number that is there twice is an offence, also of a stream that runs", () => {
  expect(offences([{ name: "part-0", text: lines(0, 1, 1) }], false)).toHaveLength(1);
});

test("a missing number is one once the stream was suspended; of one that runs it may still come", () => {
  // The number's key lacks nothing: its count was not kept either.
  const files = [{ name: "part-0", text: "0,1,0\n0,2,2\n" }];
  expect(offences(files, true)).toHaveLength(1);
  expect(offences(files, false)).toEqual([]);
});

test("every row has a name of its own for the command line", () => {
  const names = CHAPTERS.flatMap(({ name, rows }) => [name, ...rows.map(({ slug }) => slug)]);
  const twice = names.filter((name, at) => names.indexOf(name) !== at);
  // A chapter may be called as its only row.
  expect(twice.filter((name) => !CHAPTERS.some(({ name: chapter }) => chapter === name))).toEqual([]);
});

test("of a stream that is gone its savepoints stay, the checkpoint it was suspended by, and what a failed run left; all else is left over", () => {
  const lost = { run: "clicks-2", outcome: { kind: "lost", message: "" } } as const;
  const cancelled = { run: "clicks-3", outcome: { kind: "cancelled", message: "" } } as const;
  const of = (run: string): string => `flink-suite/clicks/state/clicks/${run}/1/0f/chk-4/_metadata`;
  expect(
    leftovers([KEY, of("clicks-1"), of("clicks-2"), of("clicks-3")], [suspended, lost, cancelled]),
  ).toEqual([of("clicks-1"), of("clicks-3")]);
});

import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { readCounted } from "../../examples/flink-stream/output.ts";
import { labStore } from "../../lab/store.ts";
import { jobFile, objectsOf, startRun } from "../e2e/run-process.ts";

const LEDGER = join(tmpdir(), `mayfly-flink-batch-${process.pid}.sqlite`);
const FOLDER = `mayfly-tests/flink-batch-${process.pid}/`;
const INPUT = { bucket: "demo-input", prefix: FOLDER } as const;

/** Words and how often they come, counted without Flink. */
function counted(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

let text = "";

beforeAll(async () => {
  text = (await readFile(join(projectDir, "LICENSE"), "utf8")).repeat(20);
  const store = await labStore();
  for (const part of [0, 1, 2]) {
    await store.put(INPUT.bucket, `${INPUT.prefix}licence-${part}.txt`, Buffer.from(text));
  }
});

afterAll(async () => {
  const store = await labStore();
  for (const bucket of ["demo-input", "demo-output"]) await store.clear(bucket, FOLDER);
  await rm(LEDGER, { force: true });
});

describe.each(["2.3.0", "1.20.1"])("the word count on Flink %s", (version) => {
  test("gives what counting without Flink gives, and leaves nothing behind", async () => {
    const output = `s3://demo-output/${FOLDER}${version}/`;
    const file = await jobFile({
      name: "flink-batch",
      engine: "flink",
      version,
      kind: "batch",
      application: {
        kind: "jar",
        file: "s3://demo-code/flink-jobs/flink-jobs.jar",
        mainClass: "dev.mayfly.examples.WordCount",
      },
      arguments: [`s3://${INPUT.bucket}/${INPUT.prefix}`, output],
      driver: undefined,
      workers: undefined,
      jobManager: { cpu: "250m", memory: "1Gi" },
      taskManagers: { count: 1, slots: 2, cpu: "250m", memory: "1280Mi" },
      output: { locations: [output] },
    });
    const run = await startRun([file], { MAYFLY_LEDGER: `sqlite://${LEDGER}` });
    const { code, stderr } = await run.exit;
    expect(code, stderr).toBe(0);

    const lines = (await readCounted(output)).flatMap(({ text: part }) => part.trim().split("\n"));
    const expected = [...counted(text)].map(([word, count]) => `${word},${3 * count}`);
    expect(lines.toSorted()).toEqual(expected.toSorted());
    expect(lines.length).toBeGreaterThan(300);

    const [first] = run.events;
    expect(first?.run).toMatch(/^flink-batch-/);
    expect(await objectsOf(first?.run ?? "")).toEqual([]);
  });
});

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { SOURCE_DATE_EPOCH } from "../../../images/base/recipe.ts";
import { packLayer } from "../../../images/build/layer.ts";
import { sha256File } from "../../../images/build/sum.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-layer-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const FILES = {
  "opt/spark/jars/spark-core_2.13-4.0.1.jar": "core",
  "opt/spark/jars/hadoop-aws-3.4.1.jar": "s3a",
  "opt/spark/bin/spark-submit": "#!/bin/sh",
  "etc/passwd": "spark:x:185:185",
};

/** The same files, made in another order and at another time. */
function tree(name: string, order: (paths: string[]) => string[], seconds: number): string {
  const root = join(folder, name);
  for (const path of order(Object.keys(FILES))) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), FILES[path as keyof typeof FILES]);
    utimesSync(join(root, path), seconds, seconds);
  }
  symlinkSync("spark-submit", join(root, "opt/spark/bin/submit"));
  return root;
}

const names = (path: string): string[] =>
  execFileSync("tar", ["-tf", path], { encoding: "utf8" }).trim().split("\n");

describe("a layer", () => {
  const now = SOURCE_DATE_EPOCH + 20_000_000;
  const first = tree("first", (paths) => paths, now);
  const second = tree("second", (paths) => paths.toReversed(), now + 12_345.678);
  const content = { what: "Spark", paths: ["etc/passwd", "opt/spark"] };

  test("is the same bytes when the same files were made in another order and later", async () => {
    const one = await packLayer(first, content, join(folder, "first.tar"));
    const two = await packLayer(second, content, join(folder, "second.tar"));
    expect(two.digest).toBe(one.digest);
    expect(one.digest).toBe(`sha256:${await sha256File(one.path)}`);
  });

  test("is other bytes when a file's content differs", async () => {
    const one = await packLayer(first, content, join(folder, "first.tar"));
    const changed = tree("changed", (paths) => paths, now);
    writeFileSync(join(changed, "etc/passwd"), "root:x:0:0");
    const other = await packLayer(changed, content, join(folder, "changed.tar"));
    expect(other.digest).not.toBe(one.digest);
  });

  test("keeps times older than the fixed one, since compiled Python files name them", async () => {
    const old = tree("old", (paths) => paths, SOURCE_DATE_EPOCH - 86_400);
    await packLayer(old, content, join(folder, "old.tar"));
    const listed = execFileSync("tar", ["-tvf", join(folder, "old.tar"), "--utc", "etc/passwd"], {
      encoding: "utf8",
    });
    expect(listed).toContain("2025-12-31 00:00");
  });

  test("holds what was asked for, without what belongs into the next layer", async () => {
    const without = ["opt/spark/jars/hadoop-aws-3.4.1.jar"];
    await packLayer(first, { ...content, without }, join(folder, "spark.tar"));
    await packLayer(first, { what: "S3", paths: without }, join(folder, "s3.tar"));
    expect(names(join(folder, "spark.tar"))).toContain("opt/spark/jars/spark-core_2.13-4.0.1.jar");
    expect(names(join(folder, "spark.tar"))).not.toContain("opt/spark/jars/hadoop-aws-3.4.1.jar");
    expect(names(join(folder, "s3.tar"))).toEqual(without);
  });
});

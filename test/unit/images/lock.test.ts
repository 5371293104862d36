import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { UserError } from "../../../base/errors.ts";
import type { Lock } from "../../../images/build/lock.ts";
import { readLock } from "../../../images/spark/lock.ts";
import { SPARK_RECIPES, type SparkRecipe } from "../../../images/spark/recipe.ts";

const folder = mkdtempSync(join(tmpdir(), "mayfly-lock-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const recipe = (version: string): SparkRecipe => {
  const found = SPARK_RECIPES.find((candidate) => candidate.version === version);
  if (found === undefined) throw new Error(version);
  return found;
};

function complaint(lock: unknown, of = recipe("3.5.8")): string {
  const path = join(folder, "3.5.8.lock.json");
  writeFileSync(path, JSON.stringify(lock));
  try {
    readLock(of, path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.code).toBe("image-lock-stale");
    expect(error.hint).toContain("scripts/images.ts lock");
    return error.message;
  }
  return "";
}

describe("a lock file", () => {
  const good = readLock(recipe("3.5.8"));

  test("is read when it locks what the recipe asks for", () => {
    expect(complaint(good)).toBe("");
  });

  test("is refused when a jar of the recipe is not in it", () => {
    const jars = Object.fromEntries(
      Object.entries(good.jars).filter(([file]) => !file.startsWith("hadoop-aws")),
    );
    expect(complaint({ ...good, jars })).toBe("hadoop-aws-3.3.4.jar is not locked");
  });

  test("is refused when it holds a jar that the recipe left behind", () => {
    const jars = { ...good.jars, "wildfly-openssl-1.0.7.jar": "0".repeat(64) };
    expect(complaint({ ...good, jars })).toBe("wildfly-openssl-1.0.7.jar is locked, but not in the recipe");
  });

  test("is refused when it belongs to another version of Spark", () => {
    const sdist: Lock["sdist"] = { ...good.sdist, file: "pyspark-3.5.7.tar.gz" };
    expect(complaint({ ...good, sdist })).toBe(
      "pyspark-3.5.7.tar.gz is locked instead of pyspark-3.5.8.tar.gz",
    );
  });

  test("is refused when a sum is no SHA-256", () => {
    const jars = { ...good.jars, "hadoop-aws-3.3.4.jar": "d41d8cd98f00b204e9800998ecf8427e" };
    expect(complaint({ ...good, jars })).toContain("hadoop-aws-3.3.4.jar");
  });

  test("is asked for when there is none", () => {
    const missing = (): unknown => readLock(recipe("4.0.1"), join(folder, "4.0.1.lock.json"));
    expect(missing).toThrow("Nothing is locked for Spark 4.0.1.");
  });
});

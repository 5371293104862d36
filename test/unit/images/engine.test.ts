import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { buildByEngine } from "../../../images/build/engine.ts";
import { SPARK_RECIPES, type SparkRecipe } from "../../../images/spark/recipe.ts";

const path = process.env["PATH"] ?? "";
let folder = "";

/** A program called docker that notes its arguments and does as docker would. */
const docker = (build: string): void => {
  writeFileSync(
    join(folder, "docker"),
    `#!/bin/sh
echo "$@" >>"${folder}/calls"
case $1 in
  build) ${build} ;;
  save) echo "archive of $4" >"$3" ;;
esac
`,
  );
  chmodSync(join(folder, "docker"), 0o755);
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "mayfly-engine-"));
  process.env["PATH"] = `${folder}:${path}`;
});

afterEach(() => {
  process.env["PATH"] = path;
  rmSync(folder, { recursive: true });
});

const recipe = (): SparkRecipe => {
  const [first] = SPARK_RECIPES;
  if (first === undefined) throw new Error("no recipe");
  return first;
};

describe("an image built by Docker", () => {
  test("comes from the rendered Dockerfile, is saved as one file and known by its id", async () => {
    docker(`echo sha256:4e1d >"$5"`);
    const archive = join(folder, "spark.tar");
    expect(await buildByEngine("docker", { ...recipe(), folder: "spark" }, folder, archive)).toBe(
      "sha256:4e1d",
    );
    expect(readFileSync(archive, "utf8")).toBe("archive of mayfly.dev/spark:4.0.1\n");
    const context = join(projectDir, "images/spark");
    expect(readFileSync(join(folder, "calls"), "utf8").split("\n")[0]).toBe(
      `build --tag mayfly.dev/spark:4.0.1 --iidfile ${folder}/id --file ${context}/4.0.1/Dockerfile ${context}`,
    );
  });

  test("that can't be built says what Docker said last, and leaves no archive", async () => {
    docker("echo 'ERROR: failed to solve: no space left on device' >&2; exit 1");
    const archive = join(folder, "spark.tar");
    await expect(
      buildByEngine("docker", { ...recipe(), folder: "spark" }, folder, archive),
    ).rejects.toMatchObject({
      code: "image-build-failed",
      message: expect.stringContaining("no space left on device") as unknown,
    });
    expect(() => readFileSync(archive)).toThrow("ENOENT");
  });
});

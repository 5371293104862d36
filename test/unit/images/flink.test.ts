import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { flinkContext } from "../../../images/flink/context.ts";
import { FLINK_ROLES, LAYOUT, USER } from "../../../images/flink/layout.ts";
import { readFlinkLock } from "../../../images/flink/lock.ts";
import { FLINK_RECIPES } from "../../../images/flink/recipe.ts";
import { USER as SPARK_USER } from "../../../images/spark/layout.ts";
import { configFile } from "../../../jobs/plan/flink/files.ts";
import { IMAGE } from "../../../jobs/plan/flink/layout.ts";

const folder = join(projectDir, "images/flink");

describe.each(FLINK_RECIPES)("the recipe of Flink $version", (recipe) => {
  const lock = readFlinkLock(recipe);
  const context = flinkContext(recipe, lock);

  test("renders the files that docker build reads exactly as they are committed", () => {
    const committed = readdirSync(join(folder, recipe.version), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(committed.toSorted()).toEqual(
      Object.keys(context)
        .map((path) => join(folder, path))
        .toSorted(),
    );
    for (const [path, content] of Object.entries(context)) {
      expect(
        readFileSync(join(folder, path), "utf8"),
        `${path}: run 'bin/node scripts/images.ts render'`,
      ).toBe(content);
    }
  });

  test("takes libraries and S3 plugin of one version, both by their hashes", () => {
    const sum = "[0-9a-f]{64}";
    expect(context[`${recipe.version}/requirements.txt`]).toMatch(
      new RegExp(`^apache-flink-libraries==${recipe.version} --hash=sha256:${sum}\n$`),
    );
    expect(context[`${recipe.version}/jars.sha256`]).toMatch(
      new RegExp(`^${sum}  ecj-[0-9.]+\\.jar\n${sum}  flink-s3-fs-hadoop-${recipe.version}\\.jar\n$`),
    );
  });

  test("opens to Flink what Java 17 keeps closed, in the argument file of each role", () => {
    for (const role of FLINK_ROLES) {
      const options = (context[`${recipe.version}/jvm/${role}.args`] ?? "").split("\n");
      expect(options).toContain("--add-opens=java.base/java.util=ALL-UNNAMED");
      expect(options.filter((option) => /^-(Xm|XX:Max)/.test(option))).toEqual([]);
    }
  });

  test("starts every JVM with the class-data archive that the training run writes", () => {
    const dockerfile = context[`${recipe.version}/Dockerfile`] ?? "";
    const at = dockerfile.indexOf(`archives.py /tmp/build ${LAYOUT.archive} ${configFile(recipe.version)}`);
    expect(at).toBeGreaterThan(dockerfile.indexOf("assemble.sh"));
    for (const role of FLINK_ROLES) {
      const options = (context[`${recipe.version}/jvm/${role}.args`] ?? "").split("\n");
      expect(options).toContain(`-XX:SharedArchiveFile=${LAYOUT.archive}`);
      // On a misfit the JVM does without.
      expect(options).toContain("-Xshare:auto");
    }
  });

  test("compiles quickly where little is done, and well where the work is", () => {
    expect(context[`${recipe.version}/jvm/jobmanager.args`]).toContain("-XX:TieredStopAtLevel=1\n");
    expect(context[`${recipe.version}/jvm/taskmanager.args`]).not.toContain("Tiered");
  });

  test("takes from the build context only what is in it", () => {
    const dockerfile = context[`${recipe.version}/Dockerfile`] ?? "";
    expect(dockerfile).toContain(`-f images/flink/${recipe.version}/Dockerfile images\n`);
    const copied = [...dockerfile.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, paths = ""]) =>
      paths.split(" "),
    );
    const bound = [...dockerfile.matchAll(/type=bind,source=([^,]+)/g)].map(([, path = ""]) => path);
    for (const path of [...copied, ...bound])
      expect(existsSync(join(projectDir, "images", path)), path).toBe(true);
    expect(bound).toHaveLength(4);
  });

  test("ends as the user whose number pods are given", () => {
    expect(context[`${recipe.version}/Dockerfile`]?.match(/^USER .*$/gm)).toEqual([
      `USER ${USER.id}:${USER.id}`,
    ]);
    expect(USER.id).toBe(SPARK_USER.id);
  });
});

test("the plan starts each role with the argument file that the image brings", () => {
  for (const role of FLINK_ROLES) expect(IMAGE.arguments(role)).toBe(LAYOUT.arguments(role));
  expect(IMAGE.home).toBe(LAYOUT.home);
});

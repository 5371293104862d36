import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { lockedRequirement } from "../../../images/build/lock.ts";
import { jarFile, jarSums, pom } from "../../../images/build/maven.ts";
import { imageNames } from "../../../images/index.ts";
import { buildContext } from "../../../images/spark/context.ts";
import { dockerfile } from "../../../images/spark/dockerfile.ts";
import { LAYOUT, SPARK_ROLES } from "../../../images/spark/layout.ts";
import { readLock, sparkPackages } from "../../../images/spark/lock.ts";
import { SPARK_RECIPES } from "../../../images/spark/recipe.ts";
import { IMAGE } from "../../../jobs/plan/spark/layout.ts";

const folder = join(projectDir, "images/spark");

describe.each(SPARK_RECIPES)("the recipe of Spark $version", (recipe) => {
  const lock = readLock(recipe);

  test("renders the files that docker build reads exactly as they are committed", () => {
    for (const [path, content] of Object.entries(buildContext(recipe, lock))) {
      expect(
        readFileSync(join(folder, path), "utf8"),
        `${path}: run 'bin/node scripts/images.ts render'`,
      ).toBe(content);
    }
  });

  test("leaves no file of an earlier recipe in the build context", () => {
    const committed = readdirSync(join(folder, recipe.version), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const rendered = Object.keys(buildContext(recipe, lock)).map((path) => join(folder, path));
    expect(committed.toSorted()).toEqual(rendered.toSorted());
  });

  test("lets pip take Spark's archive by its hash only", () => {
    expect(lockedRequirement(sparkPackages(recipe), lock)).toMatch(
      /^pyspark==[\d.]+ --hash=sha256:[0-9a-f]{64}\n$/,
    );
    expect(dockerfile(recipe)).toContain("--require-hashes");
  });

  test("names every S3 jar in the Maven project and in the sums that are checked after it", () => {
    const project = pom(recipe.s3Jars);
    const sums = jarSums(recipe.s3Jars, lock.jars);
    for (const jar of recipe.s3Jars) {
      expect(project).toContain(`<artifactId>${jar.artifact}</artifactId><version>${jar.version}</version>`);
      expect(sums).toMatch(new RegExp(`^[0-9a-f]{64}  ${jarFile(jar).replaceAll(".", "\\.")}$`, "m"));
    }
    expect(sums.trim().split("\n")).toHaveLength(recipe.s3Jars.length);
  });

  test("ends as a user that is not root, given by number so that Kubernetes can tell", () => {
    expect(
      dockerfile(recipe)
        .match(/^USER .*$/gm)
        ?.at(-1),
    ).toBe("USER 185:185");
  });

  test("starts every role with the class-data archive and goes on without it where it does not fit", () => {
    const context = buildContext(recipe, lock);
    for (const role of SPARK_ROLES) {
      const options = context[`${recipe.version}/jvm/${role}.args`]?.split("\n") ?? [];
      expect(options).toContain(`-XX:SharedArchiveFile=${LAYOUT.archive}`);
      expect(options).toContain("-Xshare:auto");
    }
  });

  test("leaves the choice of collector and compiler of drivers and executors to the job", () => {
    const context = buildContext(recipe, lock);
    for (const role of ["driver", "executor"]) {
      expect(context[`${recipe.version}/jvm/${role}.args`]).not.toMatch(/-XX:\+Use\w+GC|Tiered/);
    }
  });
});

test("each version has an image of its own", () => {
  expect(SPARK_RECIPES.map(({ image }) => image)).toEqual(
    SPARK_RECIPES.map(({ version }) => `mayfly.dev/spark:${version}`),
  );
});

test("the plan starts each role with the argument file that the image brings", () => {
  for (const role of SPARK_ROLES) expect(IMAGE.arguments(role)).toBe(LAYOUT.arguments(role));
});

test("the lab's environment offers exactly the images that there are recipes for", () => {
  const config = readFileSync(join(projectDir, "Pulumi.lab.yaml"), "utf8");
  const offered = [...config.matchAll(/reference: "?([^",}]+)"?/g)].map((match) => match[1]);
  expect(offered.toSorted()).toEqual(imageNames().toSorted());
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { projectDir } from "../../../base/paths.ts";
import { workerContext } from "../../../images/worker/context.ts";
import { workerInputs, workerTag } from "../../../images/worker/inputs.ts";

import { neededPackages, runTimePackages } from "../../../images/worker/packages.ts";
import { isForPeople, LEFT_OUT } from "../../../images/worker/recipe.ts";
import { packagesOf, sourceFiles } from "../../../images/worker/tree.ts";

/** A lock file by path: what each package asks for. */
const lockFile = (packages: Readonly<Record<string, object>>): string =>
  JSON.stringify({
    packages: Object.fromEntries(
      Object.entries(packages).map(([path, wants]) => [
        `node_modules/${path}`,
        { version: "1.0.0", ...wants },
      ]),
    ),
  });
const paths = (lock: string, roots: readonly string[], leftOut: readonly string[] = []): string[] =>
  neededPackages(lock, roots, leftOut, (path) => !path.includes("darwin")).map(({ path }) =>
    path.replaceAll("node_modules/", ""),
  );

describe("the npm packages of the worker's image", () => {
  test("are those that the roots need, as Node finds them: the nearest of two versions", () => {
    const lock = lockFile({
      kysely: { dependencies: { semver: "^2" } },
      "kysely/node_modules/semver": {},
      pg: { dependencies: { semver: "^1", "pg-pool": "^3" } },
      "pg-pool": {},
      semver: {},
      vitest: {},
    });
    expect(paths(lock, ["kysely", "pg"])).toEqual(["kysely", "kysely/semver", "pg", "pg-pool", "semver"]);
    expect(paths(lock, ["kysely"])).toEqual(["kysely", "kysely/semver"]);
  });

  test("hold no package of another platform, and no peer that its asker can do without", () => {
    const lock = lockFile({
      "@pulumi/pulumi": {
        dependencies: { fsevents: "*" },
        optionalDependencies: { fsevents: "*", "cli-darwin": "*" },
        peerDependencies: { typescript: "*", zod: "*" },
        peerDependenciesMeta: { typescript: { optional: true } },
      },
      "cli-darwin": {},
      typescript: {},
      zod: {},
    });
    expect(paths(lock, ["@pulumi/pulumi"])).toEqual(["@pulumi/pulumi", "zod"]);
  });

  test("do without what is left out, whoever asks for it", () => {
    const lock = lockFile({ jobs: { dependencies: { "@pulumi/aws": "*" } }, "@pulumi/aws": {} });
    expect(paths(lock, ["jobs"], ["@pulumi/aws"])).toEqual(["jobs"]);
  });

  test("are refused where one that is needed is not installed", () => {
    expect(() => paths(lockFile({ pg: { dependencies: { "pg-pool": "*" } } }), ["pg"])).toThrow("pg-pool");
  });

  test("of this checkout hold neither the classes of AWS nor anything that only tests need", async () => {
    const names = (await packagesOf(projectDir)).map(({ path }) => path);
    expect(names).toEqual(expect.arrayContaining(["node_modules/@pulumi/kubernetes", "node_modules/pg"]));
    for (const left of [...LEFT_OUT, "vitest", "typescript", "@biomejs/biome"])
      expect(names).not.toContain(`node_modules/${left}`);
  });

  test("are those that package.json names, but for those left out", () => {
    expect(runTimePackages('{"dependencies":{"pg":"1","@pulumi/aws":"7"}}', LEFT_OUT)).toEqual(["pg"]);
  });

  test("lose what only people read, but no licence", () => {
    expect(["README.md", "index.d.ts", "index.js.map"].filter(isForPeople)).toHaveLength(3);
    expect(["LICENSE.md", "index.js", "package.json"].filter(isForPeople)).toEqual([]);
  });
});

describe("the worker's image", () => {
  test("renders the files that docker build reads exactly as they are committed", () => {
    for (const [path, content] of Object.entries(workerContext())) {
      const committed = readFileSync(join(projectDir, "images/worker", path), "utf8");
      expect(committed, `${path}: run 'bin/node scripts/images.ts render'`).toBe(content);
    }
  });

  test("has the stand-in plugin's sources only where that is its plugin, and never the tests", async () => {
    const official = await sourceFiles(projectDir, false);
    expect(official).toContain("jobs/cli/main.ts");
    expect(official.filter((file) => /^(test|lab|review|simulation)\//.test(file))).toEqual([]);
    expect(await sourceFiles(projectDir, true)).toContain("lab/kubernetes-plugin/main.ts");
  });

  test("is named after its contents: the same again, another for another plugin", async () => {
    const pulumi = process.execPath;
    const one = await workerInputs({ pulumi, kubernetesPlugin: { source: "stand-in" } });
    const again = await workerInputs({ pulumi, kubernetesPlugin: { source: "stand-in" } });
    expect(workerTag(one)).toBe(workerTag(again));
    expect(workerTag(one)).toMatch(/^[0-9a-f]{12}$/);
    const [first, ...others] = one.sources;
    if (first === undefined) throw new Error("no sources");
    expect(workerTag({ ...one, sources: [{ ...first, digest: "changed" }, ...others] })).not.toBe(
      workerTag(one),
    );
    const plugin = { source: "official", digest: "of the official plugin" } as const;
    expect(workerTag({ ...one, tools: { ...one.tools, plugin } })).not.toBe(workerTag(one));
  });
});

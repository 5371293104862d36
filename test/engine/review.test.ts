// Pulumi.prod.yaml on the real engine with simulated clouds: what reviewers see of it. Its life is in review-life.test.ts.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute, type Finished } from "../../base/process.ts";
import { estimate } from "../../review/cost.ts";
import { exitCodeOf } from "../../review/exit.ts";
import { fixedParts } from "../../review/fixed-parts.ts";
import { summaryLine } from "../../review/lines.ts";
import { renderMarkdown } from "../../review/markdown.ts";
import { configIn } from "../../review/stack-file.ts";
import { valueAt } from "../../review/values.ts";
import type { Step } from "../../simulation/engine.ts";
import { changed, edited, isBelow, openProd, POLICIES, type Prod } from "./review-prod.ts";

const golden = (name: string): string => join(import.meta.dirname, "..", "golden", name);

let prod: Prod;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-test-review-"));
  prod = await openProd();
});

afterAll(async () => {
  await prod.simulation.close();
  await rm(folder, { recursive: true, force: true });
});

const preview = async (...args: string[]): Promise<Finished> =>
  await execute(join(projectDir, "bin", "node"), ["review/main.ts", ...args], {
    cwd: projectDir,
    env: childEnv(),
  });

const byUrn = (steps: readonly Step[]): string[] => steps.map(({ urn }) => urn).sort();

describe("npm run preview", () => {
  // After a wanted change: npx vitest run --project engine test/engine/review.test.ts --update
  test("of prod makes the Markdown that is in the repository, with no account and all policies kept", async () => {
    const file = join(folder, "review.md");
    const { code, stdout, stderr } = await preview(
      "prod",
      "--against",
      "nothing",
      "--quiet",
      "--markdown",
      file,
    );
    expect(code).toBe(0);
    await expect(await readFile(file, "utf8")).toMatchFileSnapshot(golden("prod-review.md"));
    expect(stdout).toContain("The cloud side is simulated");
    expect(stdout).not.toContain("\u001b");
    const last = stdout.trimEnd().split("\n").at(-1);
    expect(last).toMatch(/^prod: \d+ created; \d+ of at most 250 resources; \$[\d,]+ to \$[\d,]+ a month; /);
    expect(last).toContain(`all ${POLICIES} policies kept; cloud side simulated`);
    expect(stderr).toBe("");
  });

  test("of an unknown environment offers the nearest, and makes nothing", async () => {
    const { code, stdout, stderr } = await preview("prd");
    expect({ code, stdout }).toEqual({ code: 66, stdout: "" });
    expect(stderr).toContain('Did you mean "prod"?');
  });

  test("with an option that doesn't exist ends as a wrong command line", async () => {
    expect((await preview("prod", "--agianst", "main")).code).toBe(64);
  });

  test("says an error as JSON where JSON was asked for", async () => {
    const { code, stdout } = await preview("prod", "--json", "--against", "no-such-branch");
    expect(code).toBe(66);
    expect(JSON.parse(stdout)).toMatchObject({ type: "error", code: "no-such-ref" });
  });

  test("is stopped by an interrupt, and leaves no files behind", async () => {
    const temporary = join(folder, "tmp");
    await mkdir(temporary);
    const child = spawn(join(projectDir, "bin", "node"), ["review/main.ts", "prod", "--against", "nothing"], {
      cwd: projectDir,
      env: childEnv({ TMPDIR: temporary }),
      stdio: "ignore",
    });
    const ended = once(child, "close");
    // In the midst of the engine's work.
    await expect.poll(async () => (await readdir(temporary)).length, { timeout: 20_000 }).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    child.kill("SIGINT");
    expect(await ended).toEqual([130, null]);
    expect(await readdir(temporary)).toEqual([]);
  });
});

describe("a larger maximum of one pool, the edit of one line", () => {
  test("changes exactly that pool's node groups, and the review names exactly these", async () => {
    const { review, steps } = await prod.review(
      prod.edit(/(name: general, .*nodesPerZone: {max: )20/, "$130"),
      true,
    );
    const groups = steps.filter(
      (step) => step.type === "aws:eks/nodeGroup:NodeGroup" && isBelow(steps, step, "pool-general"),
    );
    expect(groups).toHaveLength(3);
    expect(byUrn(changed(steps).filter(({ custom }) => custom))).toEqual(byUrn(groups));
    expect(review.resources.map(({ urn }) => urn).sort()).toEqual(byUrn(groups));
    expect(changed(steps).filter((step) => !isBelow(steps, step, "pool-general"))).toEqual([]);
    expect(review.components).toMatchObject([
      {
        components: ["pool-general"],
        groups: [{ change: "update", properties: [{ path: "scalingConfig.maxSize", from: "20", to: "30" }] }],
      },
    ]);
    expect(review.attention).toEqual([]);
    await expect(renderMarkdown(review)).toMatchFileSnapshot(golden("prod-review-pool.md"));
  });
});

test("an endpoint that anybody reaches breaks a policy in production, on top of the review, and is refused", async () => {
  const { review } = await prod.review(
    prod.edit("endpoint: {access: private}", 'endpoint: {access: public, allowedCidrs: ["0.0.0.0/0"]}'),
    true,
  );
  expect(review.refused).toBe(true);
  expect(exitCodeOf(review)).toBe(14);
  expect(review.attention[0]).toMatchObject({
    level: "danger",
    message: "policy no-public-endpoint is broken (1 time): pulumi up refuses it",
  });
  expect(summaryLine(review)).toContain("pulumi up would refuse this");
});

test("the estimate's nodes are those that the engine's node groups allow", () => {
  const config = configIn(prod.text, "Pulumi.prod.yaml");
  const most = (component: string): number =>
    prod.first
      .filter((step) => step.type === "aws:eks/nodeGroup:NodeGroup" && isBelow(prod.first, step, component))
      .reduce((sum, { newInputs }) => sum + Number(valueAt(newInputs, "scalingConfig.maxSize")), 0);
  const { lines } = estimate({ config, parts: fixedParts(prod.first, "now") });
  expect(lines.filter(({ part }) => part === "pool")).toHaveLength(6);
  for (const { part, name, how } of lines) {
    if (part === "fixed") continue;
    const [, zones, ceiling] = /^(\d) zones? × \d+ to (\d+),/.exec(how) ?? [];
    const component = part === "system pool" ? "system-pool" : `pool-${name}`;
    expect({ name, nodes: Number(zones) * Number(ceiling) }).toEqual({ name, nodes: most(component) });
  }
  expect(fixedParts(prod.first, "now")).toEqual({
    controlPlanes: 1,
    natGateways: 3,
    interfaceEndpoints: 24,
    kmsKeys: 1,
    elasticIps: 3,
  });
});

test("a base that is not valid is refused with its own name and the paths of what is wrong", async () => {
  const file = join(folder, "Pulumi.broken.yaml");
  await writeFile(file, edited(prod.text, "max: 20", "max: -1"));
  const { code, stderr } = await preview("prod", "--against", file, "--quiet");
  expect(code).toBe(65);
  expect(stderr).toContain("mayfly:pools[0].nodesPerZone.max");
  expect(stderr).toContain("Pulumi.broken.yaml");
  expect(stderr).not.toMatch(/^ +at /m);
});

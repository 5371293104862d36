// Pulumi.prod.yaml on the real engine with simulated clouds: what reviewers see of it, and its whole life. The tests share one state
// and follow each other.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute, type Finished } from "../../base/process.ts";
import { renderMarkdown } from "../../review/markdown.ts";
import { protectionErrors } from "../../review/protection.ts";
import type { Step } from "../../simulation/engine.ts";
import { changed, edited, isBelow, openProd, POLICIES, type Prod } from "./review-prod.ts";

const golden = (name: string): string => join(import.meta.dirname, "..", "golden", name);

let prod: Prod;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-test-review-"));
  prod = await openProd();
  const { succeeded, diagnostics } = await prod.simulation.up();
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(succeeded).toBe(true);
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
    expect(stderr).toBe("");
    expect(code).toBe(0);
    await expect(await readFile(file, "utf8")).toMatchFileSnapshot(golden("prod-review.md"));
    expect(stdout).toContain("The cloud side is simulated");
    expect(stdout).not.toContain("\u001b");
    const last = stdout.trimEnd().split("\n").at(-1);
    expect(last).toMatch(/^prod: \d+ created; \d+ of at most 250 resources; \$[\d,]+ to \$[\d,]+ a month; /);
    expect(last).toContain(`all ${POLICIES} policies kept; cloud side simulated`);
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
    );
    const groups = steps.filter(
      (step) => step.type === "aws:eks/nodeGroup:NodeGroup" && isBelow(steps, step, "pool-general"),
    );
    expect(groups).toHaveLength(3);
    expect(byUrn(changed(steps).filter(({ custom }) => custom))).toEqual(byUrn(groups));
    expect(
      review.resources
        .filter(({ category }) => category !== "component")
        .map(({ urn }) => urn)
        .sort(),
    ).toEqual(byUrn(groups));
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

describe("the life of an environment", () => {
  test("another instance type replaces that pool's node groups, on top of the review", async () => {
    const { review, steps } = await prod.review(prod.edit(/(name: compute, instanceTypes: )\[c7g/, "$1[c8g"));
    expect(changed(steps).filter((step) => !isBelow(steps, step, "pool-compute"))).toEqual([]);
    const [first] = review.components;
    expect(first).toMatchObject({ components: ["pool-compute"] });
    expect(first?.groups[0]).toMatchObject({ change: "replace" });
    expect(review.resources[0]?.change).toBe("replace");
    expect(
      review.attention.some(({ message }) =>
        message.includes("aws.eks.NodeGroup of pool-compute are replaced"),
      ),
    ).toBe(true);
    expect(review.refused).toBe(false);
  });

  test("a pool that is taken out deletes nothing else, on top of the review, and warns of its runs", async () => {
    const { review, steps } = await prod.review(prod.edit(/ +- {name: memory-spot, .*\n/, ""));
    const deleted = steps.filter(({ op }) => op === "delete");
    expect(deleted.filter(({ type }) => type === "aws:eks/nodeGroup:NodeGroup")).toHaveLength(3);
    expect(deleted.map(({ name }) => name).filter((name) => !name.startsWith("pool-memory-spot"))).toEqual(
      [],
    );
    expect(review.components[0]).toMatchObject({
      components: ["pool-memory-spot"],
      groups: [{ change: "delete" }, {}, {}],
    });
    expect(review.attention[0]).toMatchObject({
      level: "danger",
      message: "pool memory-spot goes while it may have runs: they are killed",
    });
    expect(review.costs.change?.[0]?.ceiling).toBeLessThan(0);
  });

  test("a new Kubernetes minor version updates control plane, nodes and add-ons in place, and replaces nothing", async () => {
    const { review, steps } = await prod.review(
      prod.edit('kubernetesVersion: "1.34"', 'kubernetesVersion: "1.35"'),
    );
    expect(changed(steps).filter(({ op }) => op !== "update")).toEqual([]);
    const kinds = new Set(review.resources.map(({ kind }) => kind));
    expect(kinds).toContain("aws.eks.Cluster");
    expect(kinds).toContain("aws.eks.NodeGroup");
    expect(kinds).toContain("aws.eks.Addon");
    // Control plane first, nodes after: the engine's order follows what depends on what.
    const order = changed(steps).map(({ type }) => type);
    expect(order.indexOf("aws:eks/cluster:Cluster")).toBeLessThan(
      order.indexOf("aws:eks/nodeGroup:NodeGroup"),
    );
    expect(review.refused).toBe(false);
  });

  test("a fourth zone adds to the network and to every pool, and replaces the one group that stands in all zones", async () => {
    const { review, steps } = await prod.review(
      prod.edit("us-east-1c]\n    kubernetesVersion", "us-east-1c, us-east-1d]\n    kubernetesVersion"),
    );
    expect(steps.filter(({ op }) => op === "delete")).toEqual([]);
    // EKS can't move a node group to other subnets; its nodes go one by one, and all that runs there has a copy elsewhere.
    expect(steps.filter(({ op }) => op === "replace").map(({ name }) => name)).toEqual(["system-pool-group"]);
    expect(review.attention.map(({ message }) => message)).toEqual([
      "aws.eks.NodeGroup of system-pool is replaced: system-pool-group",
      // Six pools in four zones: one pool has to go.
      expect.stringMatching(/^\d+ resources are more than the 250 that an environment may have$/),
    ]);
    const created = steps.filter(({ op }) => op === "create");
    expect(created.filter(({ type }) => type === "aws:eks/nodeGroup:NodeGroup")).toHaveLength(6);
    expect(created.filter(({ type }) => type === "aws:ec2/subnet:Subnet")).toHaveLength(3);
    expect(review.costs.change?.[0]?.ceiling).toBeGreaterThan(0);
  });

  test("another address range of the VPC is refused: what is protected would go, on the very top", async () => {
    const { review } = await prod.review(prod.edit("vpcCidr: 10.40.0.0/16", "vpcCidr: 10.41.0.0/16"));
    expect(review.refused).toBe(true);
    expect(review.attention[0]).toMatchObject({
      level: "danger",
      message: "aws.ec2.Vpc network-vpc is replaced. Lost with it: the network that everything in it needs",
    });
    // Whatever else the engine says is told by resource.
    expect(review.errors).toEqual([]);
  });

  test("a second up changes nothing", async () => {
    await prod.simulation.configure({ text: prod.text });
    const { steps, succeeded } = await prod.simulation.up();
    expect(succeeded).toBe(true);
    expect(changed(steps)).toEqual([]);
  });

  test("a destroy is refused while protection is on, by what it protects", async () => {
    const { succeeded, diagnostics } = await prod.simulation.previewDestroy();
    expect(succeeded).toBe(false);
    const { urns } = protectionErrors(diagnostics.map(({ message }) => message));
    const names = urns.map((urn) => urn.split("::").at(-1));
    expect(names).toEqual(expect.arrayContaining(["logs-bucket", "state-versioning", "images-mayfly-spark"]));
  });

  test("with protection taken off, all goes in the right order: what is on the cluster, nodes, the cluster, the network", async () => {
    await prod.simulation.configure({
      text: edited(prod.text, "mayfly:protect: true", "mayfly:protect: false"),
    });
    const off = await prod.simulation.up();
    expect(off.succeeded).toBe(true);
    expect(off.steps.filter(({ op }) => op === "delete" || op === "replace")).toEqual([]);

    const { steps, succeeded, diagnostics } = await prod.simulation.destroy();
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(succeeded).toBe(true);
    expect(await prod.simulation.resources()).toEqual([]);
    const positions = (type: string): number[] =>
      steps.flatMap((step, index) => (step.type === type && step.op === "delete" ? [index] : []));
    const inOrder = [
      "kubernetes:helm.sh/v3:Release",
      "aws:eks/nodeGroup:NodeGroup",
      "aws:eks/cluster:Cluster",
      "aws:ec2/subnet:Subnet",
      "aws:ec2/vpc:Vpc",
    ].map(positions);
    for (const [index, later] of inOrder.entries()) {
      const earlier = inOrder[index - 1];
      expect(later.length).toBeGreaterThan(0);
      if (earlier !== undefined) expect(Math.max(...earlier)).toBeLessThan(Math.min(...later));
    }
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

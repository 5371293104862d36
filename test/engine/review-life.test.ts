// The life of a production environment, as docs/environment-life.md tells it, on the real engine with simulated clouds. The tests share one
// state and follow each other.
import { afterAll, beforeAll, expect, test } from "vitest";
import { protectionErrors } from "../../review/protection.ts";
import { changed, edited, isBelow, openProd, type Prod } from "./review-prod.ts";

let prod: Prod;

beforeAll(async () => {
  // One minor version ago, so that there is one to upgrade to.
  prod = await openProd((text) => edited(text, 'kubernetesVersion: "1.35"', 'kubernetesVersion: "1.34"'));
});

afterAll(async () => {
  await prod.simulation.close();
});

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
  expect(deleted.map(({ name }) => name).filter((name) => !name.startsWith("pool-memory-spot"))).toEqual([]);
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

test("a pool that drains changes nothing in cloud or cluster", async () => {
  const { review, steps } = await prod.review(
    prod.edit("{name: memory-spot,", "{name: memory-spot, state: draining,"),
  );
  expect(changed(steps).filter(({ type }) => type !== "pulumi:pulumi:Stack")).toEqual([]);
  expect(review.totals.changes).toMatchObject({ create: 0, update: 0, replace: 0, delete: 0 });
});

test("labels, root volume and lifetime of a pool change in place", async () => {
  const { steps } = await prod.review(
    prod.edit(
      "{name: general,",
      "{name: general, rootVolume: 200Gi, lifetime: {idle: 5m}, labels: {team: data},",
    ),
  );
  expect(changed(steps).filter((step) => !isBelow(steps, step, "pool-general"))).toEqual([]);
  const updated = steps.filter(({ op }) => op === "update").map(({ type }) => type);
  expect(updated).toEqual(
    expect.arrayContaining(["aws:ec2/launchTemplate:LaunchTemplate", "aws:eks/nodeGroup:NodeGroup"]),
  );
  // New tags for the autoscaler are all that is made; nothing goes.
  expect(new Set(steps.filter(({ op }) => op === "create").map(({ type }) => type))).toEqual(
    new Set(["aws:autoscaling/tag:Tag"]),
  );
  expect(steps.filter(({ op }) => op === "delete" || op === "replace")).toEqual([]);
});

test("a Kubernetes upgrade, pools pinned, updates control plane, add-ons, autoscaler and system pool in place, and no pool of runs", async () => {
  const pinned = edited(
    prod.edit('kubernetesVersion: "1.34"', 'kubernetesVersion: "1.35"'),
    /- {name: ([\w-]+), instanceTypes/g,
    '- {name: $1, kubernetesVersion: "1.34", instanceTypes',
  );
  const { review, steps } = await prod.review(pinned);
  expect(changed(steps).filter(({ op }) => op !== "update")).toEqual([]);
  expect(
    review.components.flatMap(({ components }) => components).filter((name) => name.startsWith("pool-")),
  ).toEqual([]);
  const kinds = new Set(review.resources.map(({ kind }) => kind));
  for (const kind of [
    "aws.eks.Cluster",
    "aws.eks.Addon",
    "aws.eks.NodeGroup",
    "kubernetes.helm.v3.Release",
  ]) {
    expect(kinds).toContain(kind);
  }
  expect(review.refused).toBe(false);
});

test("a Kubernetes upgrade without pins updates every pool in place, after the control plane", async () => {
  const { review, steps } = await prod.review(
    prod.edit('kubernetesVersion: "1.34"', 'kubernetesVersion: "1.35"'),
  );
  expect(changed(steps).filter(({ op }) => op !== "update")).toEqual([]);
  const order = changed(steps).map(({ type }) => type);
  expect(order.indexOf("aws:eks/cluster:Cluster")).toBeLessThan(order.indexOf("aws:eks/nodeGroup:NodeGroup"));
  // All six alike: one entry.
  expect(
    review.components.find(({ components }) => components.includes("pool-general"))?.components,
  ).toHaveLength(6);
});

test("a fourth zone adds to the network, to the system pool and to every pool, and replaces nothing", async () => {
  const { review, steps } = await prod.review(
    prod.edit("us-east-1c]\n    kubernetesVersion", "us-east-1c, us-east-1d]\n    kubernetesVersion"),
  );
  expect(steps.filter(({ op }) => op === "delete" || op === "replace")).toEqual([]);
  expect(review.attention.map(({ message }) => message)).toEqual([
    // Six pools in four zones: one pool has to go.
    expect.stringMatching(/^\d+ resources are more than the 250 that an environment may have$/),
  ]);
  const created = steps.filter(({ op }) => op === "create");
  expect(created.filter(({ type }) => type === "aws:eks/nodeGroup:NodeGroup")).toHaveLength(7);
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

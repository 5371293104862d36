import { describe, expect, test } from "vitest";
import { exitCodeOf } from "../../../review/exit.ts";
import { kindOf, shortKind } from "../../../review/kinds.ts";
import { summaryLine } from "../../../review/lines.ts";
import {
  aroundSteps,
  configOf,
  groupName,
  pool,
  poolSteps,
  resultOf,
  retyping,
  reviewOf,
  scaling,
  stepOf,
  urnOf,
} from "./sample.ts";

test("types are named as programs name them", () => {
  expect(kindOf("aws:eks/nodeGroup:NodeGroup")).toBe("aws.eks.NodeGroup");
  expect(kindOf("aws:s3/bucketV2:BucketV2")).toBe("aws.s3.BucketV2");
  expect(kindOf("kubernetes:core/v1:Namespace")).toBe("kubernetes.core.v1.Namespace");
  expect(kindOf("kubernetes:helm.sh/v3:Release")).toBe("kubernetes.helm.v3.Release");
  expect(kindOf("kubernetes:rbac.authorization.k8s.io/v1:Role")).toBe("kubernetes.rbac.v1.Role");
  expect(kindOf("eks:index:Cluster")).toBe("eks.Cluster");
  expect(kindOf("pulumi:providers:aws")).toBe("pulumi.providers.aws");
  expect(kindOf("pulumi:pulumi:Stack")).toBe("pulumi.Stack");
  expect(kindOf("mayfly:network:Network")).toBe("mayfly.network.Network");
  expect(kindOf("mayfly:nodes:NodePool")).toBe("mayfly.nodes.NodePool");
});

test("in lists the class is enough, but for providers", () => {
  expect(shortKind("kubernetes.helm.v3.Release")).toBe("Release");
  expect(shortKind("pulumi.providers.aws")).toBe("aws provider");
});

describe("a new maximum of one pool", () => {
  const review = reviewOf([
    ...aroundSteps("same"),
    ...poolSteps("m7g-4xlarge", "update", scaling(10, 20)),
    ...poolSteps("r7g-4xlarge", "same"),
  ]);

  test("names exactly that pool's node groups", () => {
    expect(review.resources.map(({ urn }) => urn)).toEqual(
      ["a", "b", "c"].map((zone) => urnOf("aws:eks/nodeGroup:NodeGroup", groupName("m7g-4xlarge", zone))),
    );
    expect(review.components).toHaveLength(1);
    expect(review.components[0]).toMatchObject({ components: ["pool-m7g-4xlarge"], kind: "NodePool" });
  });

  test("shows the property with both values", () => {
    expect(review.components[0]?.groups).toEqual([
      {
        change: "update",
        kind: "aws.eks.NodeGroup",
        names: ["a", "b", "c"].map((zone) => groupName("m7g-4xlarge", zone)),
        count: { least: 3, most: 3 },
        properties: [{ path: "scalingConfig.maxSize", from: "10", to: "20", replaces: false }],
        varying: [],
      },
    ]);
  });

  test("needs no attention", () => {
    expect(review.attention).toEqual([]);
    expect(exitCodeOf(review)).toBe(0);
    expect(summaryLine(review)).toContain("prod: 3 updated; ");
  });
});

describe("another instance type of a pool", () => {
  const review = reviewOf([
    ...aroundSteps("same"),
    ...poolSteps("r7g-4xlarge", "create"),
    ...poolSteps("m7g-4xlarge", "replace", retyping("m7g.4xlarge", "m8g.4xlarge")),
  ]);

  test("is on top, before what is created", () => {
    expect(review.components.map(({ components }) => components)).toEqual([
      ["pool-m7g-4xlarge"],
      ["pool-r7g-4xlarge"],
    ]);
    expect(review.resources[0]?.change).toBe("replace");
    expect(review.attention).toEqual([
      {
        level: "warning",
        message:
          "3 × aws.eks.NodeGroup of pool-m7g-4xlarge are replaced: pool-m7g-4xlarge-eu-central-1{a,b,c}",
        details: ["Forced by instanceTypes[0]: m7g.4xlarge → m8g.4xlarge"],
      },
    ]);
  });
});

describe("a pool that is taken out", () => {
  const steps = [...aroundSteps("same"), ...poolSteps("r7g-4xlarge", "delete")];
  const config = configOf();
  const withPool = (state: string) => configOf({ pools: [pool(), pool({ name: "r7g-4xlarge", state })] });

  test("is a danger while it may have runs, and says how to drain it", () => {
    const { attention } = reviewOf(steps, { config, before: withPool("active") });
    expect(attention[0]).toMatchObject({
      level: "danger",
      message: "pool r7g-4xlarge goes while it may have runs: they are killed",
    });
    expect(attention[0]?.details.join()).toContain("state: draining");
  });

  test("is no danger once it was drained, but its deletes are still named", () => {
    const { attention } = reviewOf(steps, { config, before: withPool("draining") });
    expect(attention.map(({ level }) => level)).toEqual(["warning", "warning"]);
    expect(attention[1]?.message).toBe(
      "3 × aws.eks.NodeGroup of pool-r7g-4xlarge are deleted: pool-r7g-4xlarge-eu-central-1{a,b,c}",
    );
  });
});

describe("what holds data", () => {
  const bucket = stepOf({ type: "aws:s3/bucket:Bucket", name: "logs-bucket", op: "delete", protect: false });
  const vpc = aroundSteps("replace").filter(({ type }) => type === "aws:ec2/vpc:Vpc");
  const review = reviewOf([...poolSteps("r7g-4xlarge", "delete"), bucket, ...vpc]);

  test("stands at the very top when it goes, with what is lost", () => {
    expect(review.attention.slice(0, 2).map(({ level, message }) => [level, message])).toEqual([
      ["danger", "aws.s3.Bucket logs-bucket is deleted. Lost with it: all objects in it"],
      [
        "danger",
        "aws.ec2.Vpc network-vpc is replaced. Lost with it: the network that everything in it needs",
      ],
    ]);
  });

  test("is refused where it is protected", () => {
    expect(review.refused).toBe(true);
    expect(review.attention[1]?.details[0]).toMatch(/^Protected: pulumi up refuses this/);
    expect(exitCodeOf(review)).toBe(14);
    expect(summaryLine(review)).toContain("pulumi up would refuse this");
  });

  test("counts neither as refused nor as lost when it only changes", () => {
    const kept = reviewOf([
      stepOf({ type: "aws:s3/bucket:Bucket", name: "logs-bucket", op: "update", protect: true }),
    ]);
    expect(kept.attention).toEqual([]);
    expect(kept.refused).toBe(false);
  });
});

test("anything else that is protected and would go is flagged too", () => {
  const address = stepOf({ type: "aws:ec2/eip:Eip", name: "network-nat-a", op: "delete", protect: true });
  const { attention, refused } = reviewOf([address]);
  expect(refused).toBe(true);
  expect(attention[0]).toMatchObject({
    level: "danger",
    message: "aws.ec2.Eip is deleted: network-nat-a",
    details: [expect.stringMatching(/^Protected: /)],
  });
});

test("what the engine refuses by protection is told by resource, not sentence by sentence", () => {
  const vpc = urnOf("aws:ec2/vpc:Vpc", "network-vpc");
  const diagnostics = [
    `unable to replace resource "${vpc}"\nas it is currently marked for protection. To unprotect the resource, remove`,
    "preview failed",
  ].map((message) => ({ severity: "error" as const, message, urn: undefined }));
  const steps = aroundSteps("replace").map((step) => ({ ...step, protect: false }));
  const review = reviewOf([], { result: resultOf(steps, { succeeded: false, diagnostics }) });
  expect(review.errors).toEqual([]);
  expect(review.refused).toBe(true);
  expect(review.attention[0]).toMatchObject({
    message: "aws.ec2.Vpc network-vpc is replaced. Lost with it: the network that everything in it needs",
    details: [expect.stringMatching(/^Protected: /)],
  });
});

test("six pools in which the same happens are one entry", () => {
  const pools = ["general", "general-spot", "compute", "memory", "memory-spot", "shuffle"];
  const { components, totals } = reviewOf(pools.flatMap((name) => poolSteps(name, "create")));
  expect(components).toHaveLength(1);
  expect(components[0]?.components).toEqual(pools.map((name) => `pool-${name}`).sort());
  expect(components[0]?.groups.map(({ kind, names }) => [kind, names.length])).toEqual([
    ["aws.ec2.LaunchTemplate", 3],
    ["aws.eks.NodeGroup", 3],
  ]);
  expect(totals.changes.create).toBe(42);
});

test("pools in which different things happen stay apart", () => {
  const { components } = reviewOf([
    ...poolSteps("general", "update", scaling(10, 20)),
    ...poolSteps("compute", "update", scaling(10, 30)),
  ]);
  expect(components.map((entry) => entry.components)).toEqual([["pool-compute"], ["pool-general"]]);
});

test("inner components are told apart by their path, whose last name is shown", () => {
  const network = stepOf({ type: "mayfly:network:Network", name: "network", op: "create" });
  const endpoints = stepOf({
    type: "mayfly:network:Endpoints",
    name: "network-endpoints",
    op: "create",
    parent: network.urn,
  });
  const endpoint = stepOf({
    type: "aws:ec2/vpcEndpoint:VpcEndpoint",
    name: "network-endpoints-s3",
    op: "create",
    parent: endpoints.urn,
  });
  const { resources, components } = reviewOf([network, endpoints, endpoint]);
  expect(resources.find(({ name }) => name === "network-endpoints-s3")?.component).toEqual([
    "network",
    "network-endpoints",
  ]);
  expect(components[0]).toMatchObject({ components: ["network/network-endpoints"], kind: "Endpoints" });
});

test("what is below a remote component of somebody else's belongs to ours around it", () => {
  const ours = stepOf({ type: "mayfly:cluster:EksCluster", name: "cluster", op: "create" });
  const theirs = stepOf({
    type: "eks:index:Cluster",
    name: "cluster-eks",
    op: "create",
    custom: false,
    parent: ours.urn,
  });
  const role = stepOf({
    type: "aws:iam/role:Role",
    name: "cluster-eks-role",
    op: "create",
    parent: theirs.urn,
  });
  const { resources } = reviewOf([ours, theirs, role]);
  expect(resources.find(({ name }) => name === "cluster-eks-role")?.component).toEqual(["cluster"]);
});

describe("counts", () => {
  const review = reviewOf([
    ...aroundSteps("same"),
    ...poolSteps("general", "create"),
    ...poolSteps("compute", "delete"),
  ]);

  test("are of what is there afterwards, by where it lives", () => {
    expect(review.totals).toMatchObject({
      resources: 11,
      limit: 250,
      byCategory: { cloud: 7, cluster: 0, component: 2, pulumi: 2 },
    });
    expect(review.totals.changes).toMatchObject({ create: 7, delete: 7, update: 0 });
  });

  test("are given by kind, the most frequent first", () => {
    expect(review.kinds.map(({ kind, total }) => [kind, total]).slice(0, 3)).toEqual([
      ["aws.ec2.LaunchTemplate", 3],
      ["aws.eks.NodeGroup", 3],
      ["aws.ec2.Vpc", 1],
    ]);
  });

  test("above the limit need attention", () => {
    const many = Array.from({ length: 251 }, (_, index) =>
      stepOf({ type: "aws:autoscaling/tag:Tag", name: `tag-${index}`, op: "create" }),
    );
    expect(reviewOf(many).attention[0]?.message).toBe(
      "251 resources are more than the 250 that an environment may have",
    );
    expect(reviewOf(many.slice(1)).attention).toEqual([]);
  });
});

describe("policies", () => {
  const violation = {
    pack: "mayfly",
    policy: "public-endpoint",
    level: "mandatory" as const,
    message: "endpointPublicAccess is open to\n the world",
    urn: urnOf("aws:eks/cluster:Cluster", "cluster"),
  };

  test("that are mandatory and broken refuse the change and need attention", () => {
    const review = reviewOf([], { result: resultOf([], { violations: [violation], succeeded: false }) });
    expect(review.attention[0]).toEqual({
      level: "danger",
      message: "policy public-endpoint is broken (1 time): pulumi up refuses it",
      details: ["cluster: endpointPublicAccess is open to the world"],
    });
    expect(exitCodeOf(review)).toBe(14);
    expect(summaryLine(review)).toContain("1 of 12 policies broken");
  });

  test("that are advisory refuse nothing", () => {
    const review = reviewOf([], {
      result: resultOf([], { violations: [{ ...violation, level: "advisory" }] }),
    });
    expect(review.refused).toBe(false);
    expect(summaryLine(review)).toContain("1 advisory");
  });

  test("that did not run are not said to be kept", () => {
    expect(summaryLine(reviewOf([], { rules: undefined }))).toContain("policies not checked");
    expect(summaryLine(reviewOf([]))).toContain("all 12 policies kept");
  });
});

test("a failed preview says why, on top, and does not claim to know what changes", () => {
  const diagnostics = [
    { severity: "error" as const, message: "unknown zone\n  in: Pulumi.prod.yaml", urn: undefined },
  ];
  const review = reviewOf([], { result: resultOf([], { succeeded: false, diagnostics }) });
  expect(review.attention[0]).toEqual({
    level: "danger",
    message: "the preview failed: unknown zone",
    details: ["  in: Pulumi.prod.yaml"],
  });
  expect(exitCodeOf(review)).toBe(65);
  expect(summaryLine(review)).toMatch(/^prod: the preview failed \(1 error\); /);
});

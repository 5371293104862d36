import { describe, expect, test } from "vitest";
import { z } from "zod";
import { NodePool, type NodePoolArgs } from "../../../components/nodes/node-pool.ts";
import { NodeRole } from "../../../components/nodes/node-role.ts";
import { SystemPool } from "../../../components/nodes/system-pool.ts";
import { nodeUserData } from "../../../components/nodes/user-data.ts";
import { graphProblems } from "../../harness/invariants.ts";
import { registrations } from "../platform/example.ts";
import { json, MODES, recordAws } from "./recorded.ts";

const KEY = "arn:aws:kms:eu-central-1:123456789012:key/prod";
const ZONES = ["eu-central-1a", "eu-central-1b", "eu-central-1c"];
const TEMPLATE = "k8s.io/cluster-autoscaler/node-template";

const SPOT: Omit<NodePoolArgs, "provider"> = {
  pool: "general-spot",
  clusterName: "mayfly-prod",
  version: "1.34",
  instanceTypes: ["m7g.4xlarge", "m6g.4xlarge"],
  architecture: "arm64",
  capacity: "spot",
  zones: ZONES.map((zone) => ({ zone, nodeSubnetId: `subnet-${zone}` })),
  nodesPerZone: { min: 0, max: 10 },
  labels: {},
  taints: [],
  startupTaint: true,
  allocatable: { cpu: 15_690, memory: 59_000, scratch: 88_000, pods: 108 },
  maxPods: 110,
  localDisks: "unused",
  rootVolume: 100,
  encryptionKeyArn: KEY,
  tags: { "mayfly.dev/environment": "prod" },
  lifetime: { idle: 60, unready: 300 },
  defaultLifetime: { idle: 60, unready: 300 },
  nodeRoleArn: "arn:aws:iam::123456789012:role/nodes",
};

const pool = (changes: Partial<NodePoolArgs> = {}, mode: { readonly preview?: boolean } = {}) =>
  recordAws((provider) => new NodePool("pool-general-spot", { ...SPOT, ...changes, provider }), mode);

const group = (zone: string): string[] => [
  `pool-general-spot-${zone}  aws:eks/nodeGroup:NodeGroup  by aws  in pool-general-spot`,
  ...[
    "label-mayfly.dev-pool",
    "resources-ephemeral-storage",
    "taint-mayfly.dev-capacity",
    "taint-mayfly.dev-runs",
  ].map((tag) => `pool-general-spot-${zone}-${tag}  aws:autoscaling/tag:Tag  by aws  in pool-general-spot`),
];

describe.each(MODES)("a pool of spot nodes in three zones, in %s", (_mode, mode) => {
  test("is one launch template, and a node group with its tags in each zone", async () => {
    const graph = await pool({}, mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual(
      [
        "pool-general-spot  mayfly:nodes:NodePool",
        "pool-general-spot-template  aws:ec2/launchTemplate:LaunchTemplate  by aws  in pool-general-spot",
        ...ZONES.flatMap(group),
      ].sort(),
    );
  });

  test("has groups of exactly this form", async () => {
    const { inputs, ignoreChanges } = (await pool({}, mode)).get("pool-general-spot-eu-central-1b");
    expect(inputs).toEqual({
      clusterName: "mayfly-prod",
      nodeRoleArn: "arn:aws:iam::123456789012:role/nodes",
      subnetIds: ["subnet-eu-central-1b"],
      version: "1.34",
      amiType: "AL2023_ARM_64_STANDARD",
      capacityType: "SPOT",
      instanceTypes: ["m7g.4xlarge", "m6g.4xlarge"],
      launchTemplate: { id: "pool-general-spot-template-id", version: "3" },
      scalingConfig: { minSize: 0, maxSize: 10, desiredSize: 0 },
      labels: { "mayfly.dev/pool": "general-spot" },
      taints: [
        { key: "mayfly.dev/runs", value: "true", effect: "NO_SCHEDULE" },
        { key: "mayfly.dev/capacity", value: "spot", effect: "NO_SCHEDULE" },
        {
          key: "startup-taint.cluster-autoscaler.kubernetes.io/calico",
          value: "true",
          effect: "NO_SCHEDULE",
        },
      ],
      updateConfig: { maxUnavailablePercentage: 33 },
      forceUpdateVersion: false,
      tags: {
        [`${TEMPLATE}/resources/cpu`]: "15690m",
        [`${TEMPLATE}/resources/memory`]: "59000Mi",
        [`${TEMPLATE}/resources/ephemeral-storage`]: "88000Mi",
        [`${TEMPLATE}/resources/pods`]: "108",
      },
    });
    expect(ignoreChanges).toEqual(["scalingConfig.desiredSize"]);
  });
});

describe("the tags for the autoscaler", () => {
  test("are on the auto-scaling group that EKS made, and go with the node group", async () => {
    const graph = await pool();
    const tags = graph.ofType("autoscaling/tag:Tag").filter(({ name }) => name.includes("eu-central-1c"));
    expect(tags).toHaveLength(4);
    for (const { inputs, deletedWith } of tags) {
      expect(inputs).toMatchObject({
        autoscalingGroupName: "eks-pool-general-spot-eu-central-1c",
        tag: { propagateAtLaunch: false },
      });
      expect(deletedWith).toBe("pool-general-spot-eu-central-1c");
    }
  });

  test("cover every label and every lasting taint of the group, and no start-up taint", async () => {
    const changes = {
      labels: { "acme.example/team": "search" },
      taints: [{ key: "acme.example/gpu", value: "yes", effect: "NoExecute" }],
    } as const;
    const graph = await pool(changes);
    const Tag = z.object({ key: z.string(), value: z.string() });
    const tags = graph
      .ofType("autoscaling/tag:Tag")
      .filter(({ name }) => name.includes("eu-central-1a"))
      .map(({ inputs }) => Tag.parse(inputs["tag"]))
      .map(({ key, value }) => `${key.slice(TEMPLATE.length + 1)} = ${value}`);
    expect(tags.sort()).toEqual([
      "label/acme.example/team = search",
      "label/mayfly.dev/pool = general-spot",
      "resources/ephemeral-storage = 88000Mi",
      "taint/acme.example/gpu = yes:NoExecute",
      "taint/mayfly.dev/capacity = spot:NoSchedule",
      "taint/mayfly.dev/runs = true:NoSchedule",
    ]);
  });
});

describe("nodes", () => {
  test("keep their credentials from pods, and encrypt their disk with the environment's key", async () => {
    const { inputs } = (await pool()).get("pool-general-spot-template");
    expect(inputs).toMatchObject({
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: "/dev/xvda",
          ebs: {
            volumeType: "gp3",
            volumeSize: 100,
            encrypted: "true",
            kmsKeyId: KEY,
            deleteOnTermination: "true",
          },
        },
      ],
    });
    // What EKS refuses in a launch template of a managed node group.
    for (const forbidden of [
      "imageId",
      "instanceType",
      "iamInstanceProfile",
      "networkInterfaces",
      "keyName",
    ]) {
      expect(inputs).not.toHaveProperty(forbidden);
    }
  });

  test("say on the bill whose they are", async () => {
    const { tagSpecifications } = (await pool()).get("pool-general-spot-template").inputs;
    const tags = {
      Name: "pool-general-spot",
      "mayfly.dev/environment": "prod",
      "mayfly.dev/pool": "general-spot",
    };
    expect(tagSpecifications).toEqual([
      { resourceType: "instance", tags },
      { resourceType: "volume", tags },
    ]);
  });

  test("start with the user data of their pool", async () => {
    const graph = await pool({ localDisks: "scratch", maxPods: 250 });
    const { userData } = graph.get("pool-general-spot-template").inputs;
    expect(Buffer.from(String(userData), "base64").toString("utf8")).toBe(
      nodeUserData({ localDisks: "scratch", maxPods: 250 }),
    );
  });

  test("on demand have no taint for spot, and without a start-up taint none that nobody takes off", async () => {
    const graph = await pool({ capacity: "on-demand", startupTaint: false, architecture: "amd64" });
    const { inputs } = graph.get("pool-general-spot-eu-central-1a");
    expect(inputs).toMatchObject({
      capacityType: "ON_DEMAND",
      amiType: "AL2023_x86_64_STANDARD",
      taints: [{ key: "mayfly.dev/runs", value: "true", effect: "NO_SCHEDULE" }],
    });
    expect(graph.ofType("autoscaling/tag:Tag")).toHaveLength(9);
  });
});

describe("a change of a pool", () => {
  test("of its maximum touches its node groups and nothing else", async () => {
    const [before, after] = [await pool(), await pool({ nodesPerZone: { min: 0, max: 12 } })];
    const changed = after.resources
      .filter(({ name, inputs }) => JSON.stringify(before.get(name).inputs) !== JSON.stringify(inputs))
      .map(({ name }) => name);
    // The component itself shows the reviewer the new number.
    expect(changed.sort()).toEqual([
      "pool-general-spot",
      ...ZONES.map((zone) => `pool-general-spot-${zone}`),
    ]);
  });
});

describe.each(MODES)("the system pool, in %s", (_mode, mode) => {
  test("is one group in each zone, on demand, without taints", async () => {
    const graph = await recordAws(
      (provider) =>
        new SystemPool("system-pool", {
          clusterName: "mayfly-prod",
          version: "1.34",
          instanceType: "m7g.large",
          architecture: "arm64",
          zones: ZONES.map((zone) => ({ zone, nodeSubnetId: `subnet-${zone}` })),
          nodesPerZone: { min: 1, max: 2 },
          maxPods: 110,
          rootVolume: 50,
          encryptionKeyArn: KEY,
          tags: {},
          nodeRoleArn: "role-arn",
          provider,
        }),
      mode,
    );
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "system-pool  mayfly:nodes:SystemPool",
      ...ZONES.map((zone) => `system-pool-${zone}  aws:eks/nodeGroup:NodeGroup  by aws  in system-pool`),
      "system-pool-template  aws:ec2/launchTemplate:LaunchTemplate  by aws  in system-pool",
    ]);
    const [zone = ""] = ZONES;
    expect(graph.get(`system-pool-${zone}`).inputs).toEqual({
      clusterName: "mayfly-prod",
      nodeRoleArn: "role-arn",
      subnetIds: [`subnet-${zone}`],
      version: "1.34",
      amiType: "AL2023_ARM_64_STANDARD",
      capacityType: "ON_DEMAND",
      instanceTypes: ["m7g.large"],
      launchTemplate: { id: "system-pool-template-id", version: "3" },
      scalingConfig: { minSize: 1, maxSize: 2, desiredSize: 1 },
      labels: { "mayfly.dev/pool": "system" },
      updateConfig: { maxUnavailable: 1 },
      forceUpdateVersion: false,
    });
    expect(graph.get("system-pool-template").inputs).toMatchObject({
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: 1 },
    });
  });
});

describe.each(MODES)("the role of nodes, in %s", (_mode, mode) => {
  test("is for EC2, joins the cluster and pulls images, and can do nothing else", async () => {
    const graph = await recordAws(
      (provider) => new NodeRole("node-role", { region: "eu-central-1", provider }),
      mode,
    );
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual([
      "node-role  mayfly:nodes:NodeRole",
      "node-role-AmazonEC2ContainerRegistryPullOnly  aws:iam/rolePolicyAttachment:RolePolicyAttachment  by aws  in node-role",
      "node-role-AmazonEKSWorkerNodePolicy  aws:iam/rolePolicyAttachment:RolePolicyAttachment  by aws  in node-role",
      "node-role-role  aws:iam/role:Role  by aws  in node-role",
    ]);
    expect(
      graph
        .ofType(":RolePolicyAttachment")
        .map(({ inputs }) => inputs["policyArn"])
        .sort(),
    ).toEqual([
      "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
      "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
    ]);
    expect(json(graph.get("node-role-role").inputs["assumeRolePolicy"])).toMatchObject({
      Statement: [{ Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" }],
    });
  });
});

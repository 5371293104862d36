import { beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { committedConfig, contractOf, recordEnvironment } from "../harness/environment.ts";
import { graphProblems } from "../harness/invariants.ts";
import type { Graph } from "../harness/record.ts";

const up = async (stack: string, changes: Readonly<Record<string, unknown>> = {}): Promise<Graph> =>
  await recordEnvironment(stack, changes, {
    existing: { "kube-system": { metadata: { uid: "7e57d004-2b97-44e2-8b7e-2d1d1a7d2f3a" } } },
  });

const top = (graph: Graph): string[] =>
  graph.resources
    .filter(({ parent }) => parent === undefined)
    .map(({ name, type }) => `${name}  ${type}`)
    .sort();

const Pools = z.array(z.looseObject({ name: z.string() }));
const pools = (stack: string) => Pools.parse(committedConfig(stack)["mayfly:pools"]);

describe("production's environment on EKS, as committed in Pulumi.prod.yaml", () => {
  let graph: Graph;
  beforeAll(async () => {
    graph = await up("prod");
  });

  test("keeps the rules of every graph and is made of these parts", () => {
    expect(graphProblems(graph)).toEqual([]);
    expect(top(graph)).toEqual([
      "aws  pulumi:providers:aws",
      "calico  mayfly:platform:Calico",
      "cluster  mayfly:cluster:EksCluster",
      "cluster-autoscaler  mayfly:platform:ClusterAutoscaler",
      "eks  pulumi:providers:eks",
      "fence  mayfly:platform:FencePolicy",
      "images  mayfly:registry:ImageRepositories",
      "key  mayfly:cluster:EncryptionKey",
      "kubernetes  pulumi:providers:kubernetes",
      "logs  mayfly:buckets:LogBucket",
      "network  mayfly:network:Network",
      "node-addons  mayfly:cluster:NodeAddons",
      "node-role  mayfly:nodes:NodeRole",
      "pool-compute  mayfly:nodes:NodePool",
      "pool-general  mayfly:nodes:NodePool",
      "pool-general-spot  mayfly:nodes:NodePool",
      "pool-memory  mayfly:nodes:NodePool",
      "pool-memory-spot  mayfly:nodes:NodePool",
      "pool-shuffle  mayfly:nodes:NodePool",
      "startup-taint  mayfly:platform:StartupTaint",
      "state  mayfly:buckets:StateBucket",
      "storage  mayfly:platform:StorageClasses",
      "system-addons  mayfly:cluster:SystemAddons",
      "system-pool  mayfly:nodes:SystemPool",
      "tenant-acme  mayfly:tenants:TenantNamespace",
      "tenant-globex  mayfly:tenants:TenantNamespace",
      "tenant-initech  mayfly:tenants:TenantNamespace",
    ]);
  });

  test("gives every AWS resource the provider whose default tags say whose it is", () => {
    const strangers = graph.resources.filter(
      ({ type, custom, provider }) => custom && type.startsWith("aws:") && provider !== "aws",
    );
    expect(strangers.map(({ name }) => name)).toEqual([]);
    const { region, defaultTags } = graph.get("aws").inputs;
    expect(region).toBe("us-east-1");
    // A provider's inputs travel as JSON text.
    expect(JSON.parse(String(defaultTags))).toMatchObject({
      tags: {
        "app.kubernetes.io/managed-by": "mayfly",
        "mayfly.dev/environment": "prod",
        "mayfly.dev/class": "production",
      },
    });
  });

  test("protects what must not go by accident, and only that", () => {
    const kinds = new Set(graph.resources.filter(({ protect }) => protect).map(({ type }) => type));
    expect([...kinds].sort()).toEqual([
      "aws:ec2/eip:Eip",
      "aws:ec2/subnet:Subnet",
      "aws:ec2/vpc:Vpc",
      "aws:ecr/repository:Repository",
      "aws:kms/key:Key",
      "aws:s3/bucket:Bucket",
      "aws:s3/bucketVersioning:BucketVersioning",
      "eks:index:Cluster",
    ]);
  });

  test("makes one node group for each pool and zone, from zero, and none without its tags for the autoscaler", () => {
    const groups = graph.ofType(":NodeGroup").filter(({ parent }) => parent !== "system-pool");
    expect(groups).toHaveLength(18);
    for (const { name, inputs, parent } of groups) {
      expect(inputs["scalingConfig"], name).toMatchObject({ minSize: 0, desiredSize: 0 });
      const tags = graph.ofType("autoscaling/tag:Tag").filter((tag) => tag.parent === parent);
      expect(tags.filter((tag) => tag.name.startsWith(name)).length, name).toBeGreaterThanOrEqual(3);
    }
  });

  test("exports a contract with what a node of each pool offers, before there is any", () => {
    const contract = contractOf(graph);
    expect(contract).toMatchObject({
      name: "prod",
      class: "production",
      zones: ["us-east-1a", "us-east-1b", "us-east-1c"],
      storageClasses: ["gp3"],
      lacks: [],
      fence: { policies: ["mayfly-prod-fence-objects", "mayfly-prod-fence-namespaces"] },
    });
    const room = Object.fromEntries(contract.pools.map(({ name, allocatable }) => [name, allocatable]));
    // 16 vCPUs and 64 GiB, less the kubelet's reserves and the platform's own pods.
    expect(room["general"]?.cpu).toBeGreaterThan(15_000);
    expect(room["general"]?.cpu).toBeLessThan(15_890);
    expect(room["general"]?.memory).toBeGreaterThan(56 * 1024);
    expect(room["general"]?.memory).toBeLessThan(60 * 1024);
    // 3,750 GB of local disks instead of a root volume of 100 GiB.
    expect(room["shuffle"]?.scratch).toBeGreaterThan(3000 * 1024);
    expect(room["general"]?.scratch).toBeLessThan(100 * 1024);
  });

  test("lets runs tolerate their pool's taints, and reach no address of nodes or of the control plane", () => {
    const contract = contractOf(graph);
    const spot = contract.pools.find(({ name }) => name === "general-spot");
    expect(spot?.tolerations.map(({ key }) => key)).toEqual(["mayfly.dev/runs", "mayfly.dev/capacity"]);
    const endpoints = contract.egress.find(({ name }) => name === "aws-endpoints");
    const cidrs = endpoints?.peers.flatMap((peer) => (peer.kind === "cidr" ? [peer.cidr] : []));
    const nodeRanges = graph.ofType(":Subnet").filter(({ name }) => name.endsWith("-nodes"));
    expect(cidrs).toHaveLength(3);
    expect(nodeRanges).toHaveLength(3);
    for (const { inputs } of nodeRanges) expect(cidrs).not.toContain(inputs["cidrBlock"]);
    // Where the rule says they are.
    const publicIds = graph.ofType(":Subnet").filter(({ name }) => name.endsWith("-public"));
    expect(publicIds.map(({ inputs }) => inputs["cidrBlock"]).sort()).toEqual([...(cidrs ?? [])].sort());
    for (const endpoint of graph.ofType(":VpcEndpoint")) {
      if (endpoint.inputs["vpcEndpointType"] !== "Interface") continue;
      expect(endpoint.inputs["subnetIds"]).toEqual(publicIds.map(({ name }) => `${name}-id`));
    }
  });

  test("has no secret in its graph", () => {
    expect(graph.ofType(":Secret")).toEqual([]);
    expect(JSON.stringify(graph.resources)).not.toContain('"secret":');
  });
});

describe("the life of a pool", () => {
  test("in state draining keeps its nodes and takes no new runs", async () => {
    const draining = pools("prod").map((pool) =>
      pool.name === "memory" ? { ...pool, state: "draining" } : pool,
    );
    const graph = await up("prod", { "mayfly:pools": draining });
    expect(graph.get("pool-memory").type).toBe("mayfly:nodes:NodePool");
    const contract = contractOf(graph);
    expect(contract.pools.map(({ name }) => name)).not.toContain("memory");
    expect(contract.tenants.find(({ id }) => id === "acme")?.pools).not.toContain("memory");
  });
});

describe("development's environment", () => {
  test("protects nothing, has one NAT gateway, and an API that named networks reach", async () => {
    const graph = await up("dev");
    expect(graph.resources.filter(({ protect }) => protect)).toEqual([]);
    expect(graph.ofType(":NatGateway")).toHaveLength(1);
    expect(graph.get("cluster-eks").inputs).toMatchObject({
      endpointPublicAccess: true,
      publicAccessCidrs: ["203.0.113.0/24"],
      endpointPrivateAccess: true,
    });
  });
});

describe("a part of the platform that is switched off", () => {
  test("is not made, and the contract says why", async () => {
    const because = "the corporate CNI enforces policies";
    const platform = z.looseObject({}).parse(committedConfig("prod")["mayfly:platform"]);
    const graph = await up("prod", {
      "mayfly:platform": {
        ...platform,
        calico: { install: false, because },
        startupTaint: { install: false, because },
      },
    });
    expect(top(graph).filter((line) => /calico|startup/.test(line))).toEqual([]);
    expect(contractOf(graph).lacks).toEqual([
      { part: "calico", because },
      { part: "startupTaint", because },
    ]);
    // Nobody would take it off.
    expect(JSON.stringify(graph.ofType(":NodeGroup"))).not.toContain("startup-taint");
  });
});

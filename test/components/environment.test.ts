import { describe, expect, test } from "vitest";
import { z } from "zod";
import { committedConfig, contractOf, recordEnvironment } from "../harness/environment.ts";
import { graphProblems } from "../harness/invariants.ts";
import type { Graph } from "../harness/record.ts";

const node = (allocatable: Readonly<Record<string, string>>) => ({ status: { allocatable } });
const EXISTING = {
  "kube-system": { metadata: { uid: "7e57d004-2b97-44e2-8b7e-2d1d1a7d2f3a" } },
  "mayfly-lab": node({
    cpu: "1930m",
    memory: "24041296Ki",
    "ephemeral-storage": "267847884800",
    pods: "110",
  }),
};

const up = async (
  changes: Readonly<Record<string, unknown>> = {},
  existing: Readonly<Record<string, object>> = EXISTING,
): Promise<Graph> => await recordEnvironment("lab", changes, { existing });

const pools = z.array(z.looseObject({})).parse(committedConfig("lab")["mayfly:pools"]);

describe("the environment on the lab's cluster, as committed in Pulumi.lab.yaml", () => {
  test("keeps the rules of every graph and consists of exactly these resources", async () => {
    const graph = await up();
    expect(graphProblems(graph)).toEqual([]);
    expect(graph.resources.map(({ type, name }) => `${name}  ${type}`).sort()).toEqual([
      "fence  mayfly:platform:FencePolicy",
      "fence-fence-namespaces  kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
      "fence-fence-namespaces-binding  kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
      "fence-fence-objects  kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy",
      "fence-fence-objects-binding  kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
      "kubernetes  pulumi:providers:kubernetes",
      "kubernetes-identity  pulumi:providers:kubernetes",
      "pool-default  mayfly:nodes:ExistingPool",
      "pool-default-mayfly-lab  kubernetes:core/v1:NodePatch",
      "state-roles  mayfly:platform:StateRoles",
      "state-roles-reader  kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
      "state-roles-writer  kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
      "tenant-demo  mayfly:tenants:TenantNamespace",
      "tenant-demo-deny-all  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "tenant-demo-namespace  kubernetes:core/v1:Namespace",
      "tenant-demo-quota  kubernetes:core/v1:ResourceQuota",
    ]);
  });

  test("gives streams with high availability two roles on config maps, and the way to the API, where a tenant may have that", async () => {
    const graph = await up();
    const rules = (verbs: string[]) => [{ apiGroups: [""], resources: ["configmaps"], verbs }];
    expect(graph.get("state-roles-writer").inputs["rules"]).toEqual(
      rules(["create", "delete", "get", "list", "patch", "update", "watch"]),
    );
    expect(graph.get("state-roles-reader").inputs["rules"]).toEqual(rules(["get", "list", "watch"]));
    expect(contractOf(graph)).toMatchObject({
      tenants: [{ id: "demo", allowHighAvailability: true }],
      highAvailability: {
        roles: { coordinator: "mayfly-lab-state-writer", workers: "mayfly-lab-state-reader" },
        api: { peers: [{ cidr: "10.244.0.1/32" }], ports: [{ port: 6443 }] },
      },
    });
  });

  test("only reads what was on the cluster before", async () => {
    expect((await up()).read).toEqual([
      { type: "pulumi:pulumi:StackReference", id: "organization/mayfly/lab" },
      { type: "kubernetes:core/v1:Namespace", id: "kube-system" },
      // Once for its label, once for its room.
      { type: "kubernetes:core/v1:Node", id: "mayfly-lab" },
      { type: "kubernetes:core/v1:Node", id: "mayfly-lab" },
    ]);
  });

  test("exports a valid contract in computed units, with the node's own room", async () => {
    const contract = contractOf(await up());
    expect(contract).toMatchObject({
      name: "lab",
      clusterId: "7e57d004-2b97-44e2-8b7e-2d1d1a7d2f3a",
      pools: [
        {
          name: "default",
          capacity: "on-demand",
          allocatable: { cpu: 1930, memory: 23_477, scratch: 255_439, pods: 110 },
          nodeSelector: { "mayfly.dev/pool": "default" },
          tolerations: [],
        },
      ],
      tenants: [
        {
          id: "demo",
          namespace: "tenant-demo",
          quota: { cpu: 64_000, memory: 262_144, scratch: 1_048_576, pods: 200 },
        },
      ],
      limits: { pendingDeadline: 120, imageDeadline: 60, startDeadline: 120 },
      fence: { policies: ["mayfly-lab-fence-objects", "mayfly-lab-fence-namespaces"] },
    });
  });

  test("names in its contract what the lab lacks", async () => {
    expect(contractOf(await up()).lacks.map(({ part }) => part)).toEqual([
      "calico",
      "startupTaint",
      "clusterAutoscaler",
      "storage",
    ]);
  });

  test("lets nothing run in a tenant's namespace", async () => {
    const graph = await up();
    expect(graph.get("tenant-demo-quota").inputs["spec"]).toMatchObject({
      hard: { pods: "0", services: "0", secrets: "100" },
    });
    expect(graph.get("tenant-demo-deny-all").inputs["spec"]).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
    expect(graph.get("tenant-demo-namespace").inputs).toMatchObject({
      metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
  });

  test("has no secret in its graph", async () => {
    expect((await up()).ofType(":Secret")).toEqual([]);
  });
});

describe("a pool", () => {
  test("may say what its nodes offer, for those that scale from zero", async () => {
    const allocatable = { from: "config", cpu: "15800m", memory: "57Gi", scratch: "90Gi", pods: 58 };
    const graph = await up({ "mayfly:pools": pools.map((pool) => ({ ...pool, allocatable, nodes: [] })) });
    expect(graph.read.map(({ id }) => id)).toEqual(["organization/mayfly/lab", "kube-system"]);
    expect(contractOf(graph).pools[0]?.allocatable).toEqual({
      cpu: 15_800,
      memory: 58_368,
      scratch: 92_160,
      pods: 58,
    });
  });

  test("keeps back what the platform's own pods need", async () => {
    const allocatable = {
      from: "node",
      node: "mayfly-lab",
      reserve: { cpu: "130m", memory: "477Mi", pods: 10 },
    };
    const graph = await up({ "mayfly:pools": pools.map((pool) => ({ ...pool, allocatable })) });
    expect(contractOf(graph).pools[0]?.allocatable).toEqual({
      cpu: 1800,
      memory: 23_000,
      scratch: 255_439,
      pods: 100,
    });
  });
});

describe("a mistake in the config", () => {
  test.each([
    ["a mistyped key", { "mayfly:pool": [] }, 'Unrecognized key: "pool"'],
    ["a list without members", { "mayfly:pools": [] }, "mayfly:pools: "],
    ["an unknown kind of cluster", { "mayfly:cluster": { kind: "gke" } }, "mayfly:cluster.kind: "],
    [
      "a quantity without its unit",
      { "mayfly:tenants": [{ id: "demo", quota: { cpu: "64", memory: "256", scratch: "1Ti", pods: 1 } }] },
      "mayfly:tenants[0].quota.memory: must be a positive quantity with the unit Mi, Gi or Ti",
    ],
    ["something left out", { "mayfly:s3": { region: "us-east-1" } }, "mayfly:s3.endpoint: is missing"],
    [
      "two pools of a name",
      { "mayfly:pools": [...pools, ...pools] },
      "mayfly:pools[1].name: a pool of this name",
    ],
  ])("%s is refused with its path", async (_what, changes, message) => {
    const failure: unknown = await up(changes).catch((error: unknown) => error);
    expect(String(failure)).toContain(message);
    expect(String(failure)).toContain("in: Pulumi.lab.yaml");
    // Pulumi shows errors of this name without a stack trace.
    expect(failure).toHaveProperty("__pulumiRunError", true);
  });
});

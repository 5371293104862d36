import { describe, expect, test } from "vitest";
import { z } from "zod";
import { Worker } from "../../../components/platform/worker.ts";
import { workerResources } from "../../../components/platform/worker-pod.ts";
import { jobProgram } from "../../../stacks/job/program.ts";
import { graphProblems, podSpecs } from "../../harness/invariants.ts";
import { containersOf, restrictedViolations } from "../../harness/pod-security.ts";
import { record } from "../../harness/record.ts";
import { availablePlan, flinkPlans, samplePlans } from "../../harness/samples.ts";
import { graphOf, LABELS, registrations, SYSTEM_POOL } from "./example.ts";

const IMAGE = `123456789012.dkr.ecr.eu-central-1.amazonaws.com/mayfly/worker@sha256:${"0c".repeat(32)}`;
const EGRESS = [
  {
    name: "ledger",
    peers: [{ kind: "cidr" as const, cidr: "10.40.9.17/32", except: [] }],
    ports: [{ protocol: "TCP" as const, port: 5432 }],
  },
];

const Rules = z.array(
  z.object({
    apiGroups: z.array(z.string()),
    resources: z.array(z.string()),
    verbs: z.array(z.string()),
  }),
);

const up = async (
  s3: "secret" | "web-identity",
  documents = { "connection.json": "{}" },
  stateRoles?: string[],
) =>
  await graphOf((providers) => {
    new Worker("worker", {
      namespace: "mayfly-worker",
      environment: "prod",
      image: { reference: IMAGE, pullPolicy: "IfNotPresent" },
      replicas: 2,
      slots: 4,
      secret: "mayfly-worker",
      s3,
      ledger: "postgres://mayfly@ledger.acme.internal:5432/mayfly?sslmode=verify-full",
      documents,
      egress: EGRESS,
      tenants: ["acme", "globex"].map((id) => ({ id, namespace: `tenant-${id}` })),
      fencePolicies: ["mayfly-prod-fence-namespaces", "mayfly-prod-fence-objects"],
      stateRoles,
      placement: SYSTEM_POOL,
      labels: LABELS,
      provider: providers.kubernetes,
    });
  });

const graph = await up("secret");
const STATE_ROLES = ["mayfly-prod-state-writer", "mayfly-prod-state-reader"];
const withRoles = await up("secret", undefined, STATE_ROLES);
const pod = podSpecs(graph).get("worker-deployment");
if (pod === undefined) throw new Error("no pod");

test("a worker comes with exactly these resources", () => {
  expect(graphProblems(graph)).toEqual([]);
  const kubernetes = (name: string, type: string): string =>
    `worker-${name}  kubernetes:${type}  by kubernetes  in worker`;
  expect(registrations(graph)).toEqual([
    "worker  mayfly:platform:Worker",
    kubernetes("account", "core/v1:ServiceAccount"),
    kubernetes("budget", "policy/v1:PodDisruptionBudget"),
    kubernetes("connection", "core/v1:ConfigMap"),
    kubernetes("deny-all", "networking.k8s.io/v1:NetworkPolicy"),
    kubernetes("deployment", "apps/v1:Deployment"),
    kubernetes("egress", "networking.k8s.io/v1:NetworkPolicy"),
    kubernetes("namespace", "core/v1:Namespace"),
    kubernetes("namespaces-policy", "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"),
    kubernetes(
      "namespaces-policy-binding",
      "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding",
    ),
    kubernetes("objects-policy", "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy"),
    kubernetes("objects-policy-binding", "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding"),
    kubernetes("role", "rbac.authorization.k8s.io/v1:ClusterRole"),
    kubernetes("role-binding", "rbac.authorization.k8s.io/v1:ClusterRoleBinding"),
    kubernetes("tenant-acme", "rbac.authorization.k8s.io/v1:RoleBinding"),
    kubernetes("tenant-globex", "rbac.authorization.k8s.io/v1:RoleBinding"),
    kubernetes("tenant-role", "rbac.authorization.k8s.io/v1:ClusterRole"),
  ]);
});

describe("its rights", () => {
  test("in the whole cluster are these and no others", () => {
    const core = (resources: string[], verbs: string[]) => ({ apiGroups: [""], resources, verbs });
    expect(graph.get("worker-role").inputs["rules"]).toEqual([
      core(["namespaces"], ["create", "delete", "get", "list", "patch", "watch"]),
      core(["pods"], ["deletecollection", "get", "list", "watch"]),
      core(["pods/log"], ["get"]),
      core(["pods/portforward"], ["create", "get"]),
      core(["events"], ["list", "watch"]),
      core(["limitranges", "serviceaccounts", "services"], ["create", "get", "list", "watch"]),
      core(["resourcequotas"], ["create", "get", "list", "patch", "watch"]),
      core(["secrets"], ["create", "patch"]),
      core(["configmaps"], ["create"]),
      {
        apiGroups: ["networking.k8s.io"],
        resources: ["networkpolicies"],
        verbs: ["create", "get", "list", "watch"],
      },
      {
        apiGroups: ["policy"],
        resources: ["poddisruptionbudgets"],
        verbs: ["create", "get", "list", "watch"],
      },
      {
        apiGroups: ["autoscaling"],
        resources: ["horizontalpodautoscalers"],
        verbs: ["create", "get", "list", "watch"],
      },
      { apiGroups: ["batch"], resources: ["jobs"], verbs: ["create", "delete", "get", "list", "watch"] },
      {
        apiGroups: ["apps"],
        resources: ["statefulsets"],
        verbs: ["create", "delete", "get", "list", "patch", "watch"],
      },
      {
        apiGroups: ["apps"],
        resources: ["deployments"],
        verbs: ["create", "delete", "get", "list", "watch"],
      },
      {
        apiGroups: ["admissionregistration.k8s.io"],
        resources: ["validatingadmissionpolicies", "validatingadmissionpolicybindings"],
        resourceNames: ["mayfly-prod-fence-namespaces", "mayfly-prod-fence-objects"],
        verbs: ["get"],
      },
    ]);
  });

  test("where a tenant may have high availability, are to bind its two roles too, and to make none", () => {
    const rules = (of: typeof graph) => Rules.parse(of.get("worker-role").inputs["rules"]);
    const more = rules(withRoles).filter(
      (rule) => !rules(graph).some((other) => JSON.stringify(other) === JSON.stringify(rule)),
    );
    expect(more).toEqual([
      {
        apiGroups: ["rbac.authorization.k8s.io"],
        resources: ["rolebindings"],
        verbs: ["create", "get", "list", "watch"],
      },
      { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["bind"] },
    ]);
    expect(withRoles.get("worker-role").inputs["rules"]).toContainEqual(
      expect.objectContaining({ verbs: ["bind"], resourceNames: STATE_ROLES }),
    );
  });

  test.each(Object.entries({ ...samplePlans(), ...flinkPlans(), available: availablePlan() }))(
    "are enough for Pulumi to make all objects of job %s, and to delete those that don't go with their namespace",
    async (_name, plan) => {
      delete process.env["KUBECONFIG"];
      const run = await record(() => jobProgram({ plan, authenticationSecret: "made up" }));
      const rules = Rules.parse(withRoles.get("worker-role").inputs["rules"]);
      const missing = run.resources.flatMap(({ type, deletedWith, custom }) => {
        const [, group, kind] = /^kubernetes:([^/]+)\/v[12]:(\w+)$/.exec(type) ?? [];
        if (!custom || group === undefined || kind === undefined) return [];
        const plural = kind.toLowerCase().replace(/y$/, "ie") + "s";
        const verbs = rules
          .filter(({ apiGroups }) => apiGroups.includes(group === "core" ? "" : group))
          .filter(({ resources }) => resources.includes(plural))
          .flatMap((rule) => rule.verbs);
        const needed = deletedWith === undefined ? ["create", "delete"] : ["create"];
        return needed.filter((verb) => !verbs.includes(verb)).map((verb) => `${verb} ${plural}`);
      });
      expect(missing).toEqual([]);
      expect(run.ofType(":Job")).toHaveLength(1);
    },
  );

  test("in each tenant's namespace are leases, and Secrets by name", () => {
    expect(graph.get("worker-tenant-role").inputs["rules"]).toEqual([
      {
        apiGroups: ["coordination.k8s.io"],
        resources: ["leases"],
        verbs: ["create", "delete", "get", "update"],
      },
      { apiGroups: [""], resources: ["secrets"], verbs: ["get"] },
    ]);
    for (const tenant of ["acme", "globex"]) {
      expect(graph.get(`worker-tenant-${tenant}`).inputs).toMatchObject({
        metadata: { namespace: `tenant-${tenant}`, labels: { "mayfly.dev/tenant": tenant } },
        roleRef: { kind: "ClusterRole", name: "mayfly-worker-tenant" },
        subjects: [{ kind: "ServiceAccount", name: "worker", namespace: "mayfly-worker" }],
      });
    }
  });

  test("are the worker's only once policies narrow them", () => {
    expect(graph.get("worker-role-binding").dependencies).toEqual(
      expect.arrayContaining(["worker-namespaces-policy-binding", "worker-objects-policy-binding"]),
    );
    for (const policy of ["namespaces", "objects"]) {
      expect(graph.get(`worker-${policy}-policy-binding`).inputs).toMatchObject({
        spec: { policyName: `mayfly-worker-${policy}`, validationActions: ["Deny"] },
      });
      expect(graph.get(`worker-${policy}-policy`).inputs).toMatchObject({
        spec: {
          failurePolicy: "Fail",
          matchConditions: [
            { expression: "request.userInfo.username == 'system:serviceaccount:mayfly-worker:worker'" },
          ],
        },
      });
    }
  });

  test("to write anything are all among what the policy on objects looks at", () => {
    const kinds = (rules: readonly { apiGroups: string[]; resources: string[] }[]): string[] =>
      rules
        .flatMap(({ apiGroups, resources }) => resources.map((kind) => `${apiGroups.join()}/${kind}`))
        .sort();
    const writes = Rules.parse(withRoles.get("worker-role").inputs["rules"]).filter(({ verbs }) =>
      verbs.some((verb) => !["get", "list", "watch", "bind"].includes(verb)),
    );
    const Spec = z.looseObject({
      matchConstraints: z.looseObject({
        resourceRules: z.array(
          z.looseObject({ apiGroups: z.array(z.string()), resources: z.array(z.string()) }),
        ),
      }),
    });
    const { resourceRules } = Spec.parse(graph.get("worker-objects-policy").inputs["spec"]).matchConstraints;
    expect([...kinds(resourceRules), "/namespaces"].sort()).toEqual(kinds(writes));
  });
});

describe("its pods", () => {
  test("are what Pod Security restricted admits, in a namespace that enforces it", () => {
    expect(restrictedViolations(pod)).toEqual([]);
    expect(graph.get("worker-namespace").inputs).toMatchObject({
      metadata: { name: "mayfly-worker", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    for (const { securityContext } of containersOf(pod)) {
      expect(securityContext).toMatchObject({ readOnlyRootFilesystem: true });
    }
  });

  test("have the token of their account for an hour, and no other", () => {
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(pod.volumes.find(({ name }) => name === "token")).toMatchObject({
      projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3600, path: "token" } }, {}] },
    });
    expect(pod.volumes.map(({ name }) => name)).toEqual(["config", "secret", "token", "work", "temporary"]);
  });

  test("get what their slots need, neither more nor less", () => {
    const [worker] = containersOf(pod);
    expect(worker?.resources.requests).toEqual({ cpu: "1", memory: "2304Mi", "ephemeral-storage": "2816Mi" });
    expect(worker?.resources.limits).toEqual(worker?.resources.requests);
    expect(workerResources(1)).toEqual({ cpu: 500, memory: 1280 });
    expect(workerResources(16)).toEqual({ cpu: 4000, memory: 6400 });
  });

  test("have time to hand their runs over, and are asked whether they turn and whether they can work", () => {
    expect(pod).toMatchObject({
      terminationGracePeriodSeconds: 90,
      containers: [
        {
          args: ["work", "--slots", "4", "--json", "--health", "8080"],
          livenessProbe: { httpGet: { path: "/livez", port: 8080 } },
          readinessProbe: { httpGet: { path: "/readyz", port: 8080 } },
        },
      ],
    });
  });

  test("are spread over zones and nodes, never both away at once for a new version or a drain", () => {
    expect(pod).toMatchObject({
      nodeSelector: SYSTEM_POOL.nodeSelector,
      topologySpreadConstraints: [
        { topologyKey: "topology.kubernetes.io/zone", maxSkew: 1 },
        { topologyKey: "kubernetes.io/hostname", maxSkew: 1 },
      ],
    });
    expect(graph.get("worker-deployment").inputs).toMatchObject({
      metadata: { annotations: { "pulumi.com/skipAwait": "true" } },
      spec: { replicas: 2, strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } },
    });
    expect(graph.get("worker-budget").inputs).toMatchObject({ spec: { maxUnavailable: 1 } });
  });

  test("are replaced by new ones when their connection changes", async () => {
    const annotation = (of: typeof graph): unknown =>
      z
        .looseObject({
          template: z.looseObject({
            metadata: z.looseObject({ annotations: z.record(z.string(), z.string()) }),
          }),
        })
        .parse(of.get("worker-deployment").inputs["spec"]).template.metadata.annotations[
        "mayfly.dev/connection"
      ];
    expect(annotation(graph)).toMatch(/^[0-9a-f]{16}$/);
    expect(annotation(await up("secret"))).toBe(annotation(graph));
    expect(annotation(await up("secret", { "connection.json": '{"name":"prod"}' }))).not.toBe(
      annotation(graph),
    );
  });

  test("reach nothing but what they are told, and nobody reaches them", () => {
    expect(graph.get("worker-deny-all").inputs["spec"]).toEqual({
      podSelector: {},
      policyTypes: ["Ingress", "Egress"],
    });
    expect(graph.get("worker-egress").inputs["spec"]).toEqual({
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.40.9.17/32" } }], ports: [{ protocol: "TCP", port: 5432 }] }],
    });
  });

  test("read secrets from files that somebody else provides: none is in the graph", () => {
    expect(graph.ofType(":Secret")).toEqual([]);
    expect(pod.volumes.find(({ name }) => name === "secret")).toMatchObject({
      secret: {
        secretName: "mayfly-worker",
        defaultMode: 0o440,
        items: [{ key: "pgpass" }, { key: "passphrase" }, { key: "s3-credentials" }],
      },
    });
    expect(JSON.stringify(pod)).not.toContain("secretKeyRef");
  });

  test("with a web identity have a token for AWS beside it instead of credentials", async () => {
    const specs = podSpecs(await up("web-identity"));
    const theirs = specs.get("worker-deployment");
    expect(theirs?.volumes.find(({ name }) => name === "aws")).toMatchObject({
      projected: {
        sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", expirationSeconds: 3600 } }],
      },
    });
    expect(theirs?.volumes.find(({ name }) => name === "secret")).toMatchObject({
      secret: { items: [{ key: "pgpass" }, { key: "passphrase" }] },
    });
  });
});

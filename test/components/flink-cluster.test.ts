import { beforeAll, describe, expect, test } from "vitest";
import { jobProgram } from "../../stacks/job/program.ts";
import { graphProblems, podSpecs } from "../harness/invariants.ts";
import { type Graph, record } from "../harness/record.ts";
import { availablePlan, flinkPlans } from "../harness/samples.ts";

const plans = flinkPlans();
const graphs: Record<string, Graph> = {};

beforeAll(async () => {
  delete process.env["KUBECONFIG"];
  for (const [name, plan] of Object.entries(plans)) {
    graphs[name] = await record(() => jobProgram({ plan, authenticationSecret: "c2VjcmV0LW9mLXRoZS1ydW4" }));
  }
});

const graphOf = (name: string): Graph => {
  const graph = graphs[name];
  if (graph === undefined) throw new Error(`no graph of ${name}`);
  return graph;
};

describe.each(["flink-wordcount", "flink-stream"] as const)("the stack of job %s", (name) => {
  test("keeps the rules of every graph: providers, labels, hierarchy, Pod Security restricted, requests equal limits", () => {
    expect(graphProblems(graphOf(name))).toEqual([]);
  });

  test("consists of exactly these resources", () => {
    expect(
      graphOf(name)
        .resources.map(({ type, name: resource }) => `${resource}  ${type}`)
        .sort(),
    ).toEqual([
      "flink  mayfly:flink:FlinkCluster",
      "flink-authentication  kubernetes:core/v1:Secret",
      "flink-coordinator  mayfly:flink:JobManager",
      "flink-coordinator-budget  kubernetes:policy/v1:PodDisruptionBudget",
      "flink-coordinator-job  kubernetes:batch/v1:Job",
      "flink-coordinator-service  kubernetes:core/v1:Service",
      "flink-files  kubernetes:core/v1:ConfigMap",
      "flink-run  mayfly:run:RunNamespace",
      "flink-run-deny-all  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "flink-run-egress  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "flink-run-limits  kubernetes:core/v1:LimitRange",
      "flink-run-namespace  kubernetes:core/v1:Namespace",
      "flink-run-quota  kubernetes:core/v1:ResourceQuota",
      "flink-run-runner  kubernetes:core/v1:ServiceAccount",
      "flink-run-within-run  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "flink-workers  mayfly:flink:TaskManagers",
      ...(name === "flink-stream" ? ["flink-workers-budget  kubernetes:policy/v1:PodDisruptionBudget"] : []),
      "flink-workers-set  kubernetes:apps/v1:StatefulSet",
      "kubernetes  pulumi:providers:kubernetes",
    ]);
  });

  test("lets pods of the run reach one another on Flink's ports alone, REST not among them", () => {
    const spec = graphOf(name).get("flink-run-within-run").inputs["spec"];
    const ports = [6121, 6122, 6123, 6124, 6125, 6126, 9249].map((port) => ({ protocol: "TCP", port }));
    expect(spec).toMatchObject({ ingress: [{ ports }], egress: [{ ports }] });
  });

  test("gives the JobManager one try: started again, a stream would go on from where it began", () => {
    expect(graphOf(name).get("flink-coordinator-job").inputs["spec"]).toMatchObject({
      backoffLimit: 0,
      template: { spec: { restartPolicy: "Never", initContainers: [] } },
    });
  });

  test("mounts the tenant's S3 Secret as files, readable by the pod's group alone, in both kinds of pod", () => {
    const pods = podSpecs(graphOf(name));
    expect(pods.size).toBe(2);
    for (const spec of pods.values()) {
      expect(spec.volumes).toContainEqual({
        name: "secret-files",
        secret: {
          secretName: "s3-identity",
          defaultMode: 0o440,
          items: [
            { key: "access-key-id", path: "access-key-id" },
            { key: "secret-access-key", path: "secret-access-key" },
          ],
        },
      });
      expect(JSON.stringify(spec)).not.toContain("secretKeyRef");
    }
  });
});

test("a stream's graph shows reviewers where its state is", () => {
  expect(graphOf("flink-stream").get("flink").inputs).toMatchObject({
    kind: "stream",
    parallelism: 4,
    state: { savepoints: "s3://demo-output/flink-state/flink-stream/savepoints" },
  });
});

test("lets drains stop one TaskManager of a stream at a time, and its JobManager not at all", () => {
  const graph = graphOf("flink-stream");
  const budget = (name: string) => graph.get(name).inputs["spec"];
  expect(budget("flink-workers-budget")).toEqual({
    maxUnavailable: 1,
    selector: { matchLabels: { "mayfly.dev/role": "worker" } },
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  });
  expect(budget("flink-coordinator-budget")).toMatchObject({ minAvailable: 1 });
});

describe("the stack of a stream that Kubernetes keeps alive", () => {
  let graph: Graph;
  beforeAll(async () => {
    graph = await record(() => jobProgram({ plan: availablePlan(), authenticationSecret: "s", fence: 7 }));
  });
  const spec = (name: string) => graph.get(name).inputs["spec"];

  test("keeps the rules of every graph", () => {
    expect(graphProblems(graph)).toEqual([]);
  });

  test("has, beside what all streams have, two accounts, what binds them to the environment's roles, and a way to the API", () => {
    const names = new Set(graphOf("flink-stream").resources.map(({ name }) => name));
    const more = graph.resources.filter(({ name }) => !names.has(name));
    expect(more.map(({ type, name }) => `${name}  ${type}`).sort()).toEqual([
      "flink-access  mayfly:run:RunAccess",
      "flink-access-coordinator-account  kubernetes:core/v1:ServiceAccount",
      "flink-access-coordinator-binding  kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
      "flink-access-kubernetes-api  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "flink-access-workers-account  kubernetes:core/v1:ServiceAccount",
      "flink-access-workers-binding  kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    ]);
    expect(graph.get("flink-access-workers-binding").inputs).toMatchObject({
      metadata: { namespace: availablePlan().namespace, labels: { "mayfly.dev/fence": "7" } },
      roleRef: { kind: "ClusterRole", name: "mayfly-lab-state-reader" },
      subjects: [{ kind: "ServiceAccount", name: "workers", namespace: availablePlan().namespace }],
    });
    expect(spec("flink-access-kubernetes-api")).toMatchObject({
      podSelector: {
        matchExpressions: [{ key: "mayfly.dev/role", operator: "In", values: ["coordinator", "worker"] }],
      },
      policyTypes: ["Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "10.244.0.1/32" } }], ports: [{ protocol: "TCP", port: 6443 }] }],
    });
  });

  test("starts the JobManager's container again where it was, and lets its node be drained", () => {
    expect(spec("flink-coordinator-job")).toMatchObject({
      backoffLimit: 20,
      template: { spec: { restartPolicy: "OnFailure" } },
    });
    expect(graph.resources.map(({ name }) => name)).not.toContain("flink-coordinator-budget");
  });

  test("has a token in its own projection only, each pod of its own account, and room for two config maps more", () => {
    for (const [name, pod] of podSpecs(graph)) {
      expect(pod).toMatchObject({
        serviceAccountName: name.includes("coordinator") ? "coordinator" : "workers",
        automountServiceAccountToken: false,
      });
      expect(pod.containers[0]?.["volumeMounts"]).toContainEqual({
        name: "kubernetes-api",
        mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
        readOnly: true,
      });
    }
    expect(spec("flink-run-quota")).toMatchObject({ hard: { configmaps: "4" } });
    expect(spec("flink-coordinator-job")).not.toEqual(spec("flink-workers-set"));
  });

  test("is the only one of whose pods the API knows more than that they are there", () => {
    for (const pod of podSpecs(graphOf("flink-stream")).values()) {
      expect(pod.serviceAccountName).toBe("runner");
      expect(JSON.stringify(pod)).not.toContain("serviceAccountToken:");
      expect(JSON.stringify(pod.volumes)).not.toContain('"serviceAccountToken"');
    }
  });
});

import { beforeAll, describe, expect, test } from "vitest";
import { jobProgram } from "../../stacks/job/program.ts";
import { graphProblems, podSpecs } from "../harness/invariants.ts";
import { type Graph, record } from "../harness/record.ts";
import { flinkPlans } from "../harness/samples.ts";

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

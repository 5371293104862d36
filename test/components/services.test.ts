import { beforeAll, describe, expect, test } from "vitest";
import type { FlinkPlan } from "../../schema/plan.ts";
import { jobProgram } from "../../stacks/job/program.ts";
import { graphProblems, podSpecs } from "../harness/invariants.ts";
import { type Flow, Policy, passes } from "../harness/network.ts";
import { type Graph, record } from "../harness/record.ts";
import { flinkPlans } from "../harness/samples.ts";

const plan = flinkPlans()["flink-enrich"];
const graphOf = async (of: FlinkPlan): Promise<Graph> =>
  await record(() => jobProgram({ plan: of, authenticationSecret: "c2VjcmV0" }));
let graph: Graph;

beforeAll(async () => {
  delete process.env["KUBECONFIG"];
  graph = await graphOf(plan);
});

const SERVICE = "flink-service-scoring";

describe("the stack of a stream with a service", () => {
  test("keeps the rules of every graph", () => {
    expect(graphProblems(graph)).toEqual([]);
  });

  test("has these resources beside the stream's own", () => {
    const names = graph.resources
      .map(({ name }) => name)
      .filter((name) => /service-scoring|to-services/.test(name));
    expect(names.sort()).toEqual([
      "flink-run-service-scoring",
      "flink-run-to-services",
      SERVICE,
      `${SERVICE}-autoscaler`,
      `${SERVICE}-budget`,
      `${SERVICE}-deployment`,
      `${SERVICE}-service`,
    ]);
  });

  test("leaves the number of replicas to the autoscaler, so that no update sets it back", () => {
    expect(graph.get(`${SERVICE}-deployment`).inputs["spec"]).not.toHaveProperty("replicas");
    expect(graph.get(`${SERVICE}-autoscaler`).inputs["spec"]).toMatchObject({
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "scoring" },
      minReplicas: 1,
      maxReplicas: 4,
      metrics: [{ type: "Resource", resource: { name: "cpu", target: { averageUtilization: 60 } } }],
      behavior: { scaleDown: { stabilizationWindowSeconds: 60 } },
    });
  });

  test("says the number itself where it never changes, without an autoscaler", async () => {
    const services = plan.services?.map(({ scaleOn: _, ...service }) => ({
      ...service,
      replicas: { min: 3, max: 3, calm: 300 },
    }));
    const fixed = await graphOf({ ...plan, ...(services === undefined ? {} : { services }) });
    expect(fixed.get(`${SERVICE}-deployment`).inputs["spec"]).toMatchObject({ replicas: 3 });
    expect(fixed.ofType(":HorizontalPodAutoscaler")).toEqual([]);
  });

  test("follows a metric of the pods where it is asked for", async () => {
    const services = plan.services?.map((service) => ({
      ...service,
      scaleOn: { kind: "metric" as const, name: "queue_depth", quantity: "2500m" },
    }));
    const byMetric = await graphOf({ ...plan, ...(services === undefined ? {} : { services }) });
    expect(byMetric.get(`${SERVICE}-autoscaler`).inputs["spec"]).toMatchObject({
      metrics: [
        {
          type: "Pods",
          pods: { metric: { name: "queue_depth" }, target: { type: "AverageValue", averageValue: "2500m" } },
        },
      ],
    });
  });

  test("gives the service's pods no secret, no file of the run and no identity", () => {
    const pod = podSpecs(graph).get(`${SERVICE}-deployment`);
    expect(pod?.volumes.map(({ name }) => name)).toEqual(["temporary"]);
    expect(JSON.stringify(pod)).not.toMatch(/"(secret|secretKeyRef|serviceAccountToken|configMap)":/);
  });

  test("has room in its quota for the most replicas, and for one Deployment", () => {
    expect(graph.get("flink-run-quota").inputs["spec"]).toMatchObject({
      hard: {
        pods: "7",
        services: "2",
        "requests.cpu": "1400m",
        "count/deployments.apps": "1",
        "count/replicasets.apps": "1",
      },
    });
  });

  test("names the service by a role of its own, which no worker or coordinator has", () => {
    expect(graph.get(`${SERVICE}-service`).inputs["spec"]).toMatchObject({
      selector: { "mayfly.dev/role": "service-scoring" },
      ports: [{ port: 8080, targetPort: 8080 }],
    });
    expect(graph.get("flink-workers-set").inputs["spec"]).toMatchObject({
      selector: { matchLabels: { "mayfly.dev/role": "worker" } },
    });
  });
});

describe("its network", () => {
  const { namespace } = plan;
  const pod = (address: string, role: string, inNamespace = namespace) => ({
    address,
    pod: { namespace: inNamespace, labels: { "mayfly.dev/role": role } },
    namespaceLabels: { "kubernetes.io/metadata.name": inNamespace },
  });
  const jobManager = pod("10.1.0.4", "coordinator");
  const taskManager = pod("10.1.0.5", "worker");
  const scoring = pod("10.1.0.6", "service-scoring");
  const neighbour = pod("10.1.0.7", "worker", "rival-orders-1");
  const tcp = (from: Flow["from"], to: Flow["to"], port: number): Flow => ({
    from,
    to,
    port,
    protocol: "TCP",
  });
  const flows: [string, Flow, boolean][] = [
    ["TaskManager to the service", tcp(taskManager, scoring, 8080), true],
    ["JobManager to the service", tcp(jobManager, scoring, 8080), true],
    ["TaskManager to another port of the service", tcp(taskManager, scoring, 22), false],
    ["TaskManager to JobManager", tcp(taskManager, jobManager, 6123), true],
    ["the service to the JobManager", tcp(scoring, jobManager, 6123), false],
    ["the service to a TaskManager", tcp(scoring, taskManager, 6121), false],
    ["the service to its like", tcp(scoring, pod("10.1.0.8", "service-scoring"), 8080), false],
    ["a neighbour's pod to the service", tcp(neighbour, scoring, 8080), false],
    ["someone outside to the service", tcp({ address: "203.0.113.9" }, scoring, 8080), false],
    ["the service to the internet", tcp(scoring, { address: "203.0.113.9" }, 443), false],
    [
      "the service to DNS, as far as the environment's egress says",
      tcp(scoring, { address: "10.244.0.1" }, 5353),
      true,
    ],
    ["the service to S3, likewise", tcp(scoring, { address: "10.244.0.1" }, 7070), true],
    ["the service to the API server", tcp(scoring, { address: "10.244.0.1" }, 6443), false],
  ];

  test("lets the engine call the service, and nobody else", () => {
    const policies = graph.ofType(":NetworkPolicy").map(({ inputs }) => Policy.parse(inputs));
    for (const [what, flow, expected] of flows)
      expect([what, passes(policies, flow)]).toEqual([what, expected]);
  });
});

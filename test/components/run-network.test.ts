import { beforeAll, describe, expect, test } from "vitest";
import { jobProgram } from "../../stacks/job/program.ts";
import { type Flow, Policy, passes } from "../harness/network.ts";
import { record } from "../harness/record.ts";
import { samplePlans } from "../harness/samples.ts";

const { sessions } = samplePlans();
let policies: readonly Policy[] = [];

beforeAll(async () => {
  const graph = await record(() => jobProgram({ plan: sessions, authenticationSecret: "s" }));
  policies = graph.ofType(":NetworkPolicy").map(({ inputs }) => Policy.parse(inputs));
});

describe("the network of a run", () => {
  const { namespace } = sessions;
  const pod = (address: string, role: string, inNamespace = namespace) => ({
    address,
    pod: { namespace: inNamespace, labels: { "mayfly.dev/role": role } },
    namespaceLabels: { "kubernetes.io/metadata.name": inNamespace },
  });
  const driver = pod("10.1.0.4", "coordinator");
  const worker = pod("10.1.0.5", "worker");
  const neighbour = pod("10.1.0.6", "worker", "rival-sessions-1");
  const dns = {
    address: "10.1.0.9",
    pod: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
    namespaceLabels: { "kubernetes.io/metadata.name": "kube-system" },
  };
  const tcp = (from: Flow["from"], to: Flow["to"], port: number): Flow => ({
    from,
    to,
    port,
    protocol: "TCP",
  });
  const outside = (address: string) => ({ address });

  test.each([
    ["worker to master", tcp(worker, driver, 7077), true],
    ["worker to driver", tcp(worker, driver, 7078), true],
    ["worker to worker's blocks", tcp(worker, pod("10.1.0.7", "worker"), 7079), true],
    ["worker to a port that no engine part has", tcp(worker, driver, 22), false],
    ["a neighbour's pod to the driver's UI", tcp(neighbour, driver, 4040), false],
    ["a pod of the run to a neighbour's", tcp(worker, neighbour, 7078), false],
    ["a name lookup over UDP", { ...tcp(worker, dns, 53), protocol: "UDP" as const }, true],
    ["a name lookup over TCP", tcp(worker, dns, 53), true],
    ["another pod of kube-system at port 53", tcp(worker, pod("10.1.0.8", "api", "kube-system"), 53), false],
    ["S3", tcp(worker, outside("52.219.170.1"), 443), true],
    ["the internet at another port", tcp(worker, outside("52.219.170.1"), 22), false],
    ["the API server in the private network", tcp(worker, outside("10.0.0.10"), 443), false],
    ["instance metadata", tcp(worker, outside("169.254.169.254"), 443), false],
    ["instance metadata over plain HTTP", tcp(driver, outside("169.254.169.254"), 80), false],
    ["a kubelet", tcp(worker, outside("10.0.3.17"), 10_250), false],
    ["someone outside to the driver's UI", tcp(outside("203.0.113.9"), driver, 4040), false],
  ] satisfies [string, Flow, boolean][])("%s", (_what, flow, expected) => {
    expect(passes(policies, flow)).toBe(expected);
  });
});

import { Resolver } from "node:dns/promises";
import { z } from "zod";
import { Cri } from "../host/cri.ts";
import { healthOf } from "../host/http.ts";
import { type LabPaths, RUN } from "../paths.ts";
import { LAB } from "../settings.ts";
import type { Api } from "./api.ts";
import { readCertificate } from "./certificates.ts";
import { API_URL } from "./kubeconfig.ts";

/** Undefined if something works, else what is wrong, for people. */
export type Check = () => Promise<string | undefined>;

/** Daemons of the lab in the order in which people want to read them. */
export const PARTS = [
  "etcd",
  "apiserver",
  "controller-manager",
  "scheduler",
  "containerd",
  "kubelet",
  "kube-proxy",
  "felix",
  "coredns",
  "metrics-server",
  "s3",
] as const;
export type Part = (typeof PARTS)[number];

/** How to tell that each daemon works. */
export function healthChecks(paths: LabPaths): Readonly<Record<Part, Check>> {
  const local =
    (port: number, path: string): Check =>
    async () =>
      await healthOf(`http://127.0.0.1:${port}/${path}`);
  const admin = (): ReturnType<typeof readCertificate> => readCertificate(paths.certificates, "admin");
  const component =
    (port: number): Check =>
    async () =>
      await healthOf(`https://127.0.0.1:${port}/healthz`, { tls: { ca: admin().ca } });
  const { ports } = LAB;
  return {
    etcd: local(ports.etcdHealth, "health"),
    apiserver: async () => await healthOf(`${API_URL}/readyz`, { tls: admin() }),
    "controller-manager": component(ports.controllerManager),
    scheduler: component(ports.scheduler),
    containerd: containerdHealth,
    kubelet: local(ports.kubeletHealth, "healthz"),
    "kube-proxy": local(ports.kubeProxyHealth, "healthz"),
    felix: local(ports.felixHealth, "readiness"),
    coredns: local(ports.dnsReady, "ready"),
    // Not /readyz: that waits for two looks at the node, seconds apart.
    "metrics-server": async () =>
      await healthOf(`https://${LAB.nodeIp}:${ports.metricsServer}/livez`, { tls: { ca: admin().ca } }),
    s3: local(ports.s3, "health"),
  };
}

async function containerdHealth(): Promise<string | undefined> {
  const cri = new Cri(RUN.containerdSocket);
  try {
    return await cri.health();
  } finally {
    cri.close();
  }
}

/** Undefined if the cluster's DNS answers through its Service address, which kube-proxy's rules must lead to CoreDNS. */
export async function dnsHealth(): Promise<string | undefined> {
  const resolver = new Resolver({ timeout: 1000, tries: 1 });
  resolver.setServers([LAB.dnsServiceIp]);
  try {
    const name = `kubernetes.default.svc.${LAB.clusterDomain}`;
    const addresses = await resolver.resolve4(name);
    return addresses.includes(LAB.kubernetesServiceIp) ? undefined : `${name} is ${addresses.join(", ")}`;
  } catch (error) {
    return `DNS at ${LAB.dnsServiceIp}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const Node = z.object({
  spec: z.object({ taints: z.array(z.object({ key: z.string() })).default([]) }),
  status: z.object({
    conditions: z
      .array(
        z.object({
          type: z.string(),
          status: z.string(),
          lastHeartbeatTime: z.string(),
          message: z.string(),
        }),
      )
      .default([]),
  }),
});

/** A node as the API gives it: undefined if it can take pods, by a word of the kubelet that runs now. */
export function nodeProblem(text: string, kubeletStartedAt: string | undefined): string | undefined {
  const { spec, status } = Node.parse(JSON.parse(text));
  const ready = status.conditions.find(({ type }) => type === "Ready");
  if (ready === undefined) return "the kubelet has not told the node's state yet";
  // Heartbeats have whole seconds. An older one is the word of a kubelet of before the last `lab down`.
  const since = kubeletStartedAt === undefined ? 0 : Math.floor(Date.parse(kubeletStartedAt) / 1000) * 1000;
  if (Date.parse(ready.lastHeartbeatTime) < since) return "the kubelet has not renewed the node's state yet";
  if (ready.status !== "True") return ready.message;
  const taint = spec.taints.find(({ key }) => key.startsWith("node.kubernetes.io/"));
  return taint === undefined ? undefined : `the node is still marked ${taint.key}`;
}

/** Undefined if the lab's node can take pods. */
export async function nodeHealth(
  api: Api,
  kubeletStartedAt: string | undefined,
): Promise<string | undefined> {
  const { status, body } = await api.get(`/api/v1/nodes/${LAB.nodeName}`);
  if (status !== 200) return `the API server answers ${status} for the node`;
  return nodeProblem(body, kubeletStartedAt);
}

import { join } from "node:path";
import { LAB, METRICS_SERVER } from "../settings.ts";
import { flags } from "./controlplane.ts";
import { bindingOf, type Manifest, nodeService, roleOf } from "./objects.ts";

/** Seconds between its looks at the kubelet: the least that it takes, autoscalers look every 15. */
const RESOLUTION = 10;

/** It listens at the node's address: the API server asks it there in the place of whoever asks for metrics.k8s.io. */
export function metricsServerArgs(paths: {
  readonly certificates: string;
  readonly config: string;
}): string[] {
  const kubeconfig = join(paths.config, "metrics-server.kubeconfig");
  const certificate = (name: string): string => join(paths.certificates, name);
  return flags({
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": LAB.nodeIp,
    "secure-port": LAB.ports.metricsServer,
    "tls-cert-file": certificate("metrics-server.crt"),
    "tls-private-key-file": certificate("metrics-server.key"),
    "client-ca-file": certificate("ca.crt"),
    "kubelet-certificate-authority": certificate("ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "metric-resolution": `${RESOLUTION}s`,
    // It wants an answer well within that time.
    "kubelet-request-timeout": `${RESOLUTION / 2}s`,
    profiling: false,
  });
}

const GROUP = "metrics.k8s.io";
const VERSION = "v1beta1";
const NAMESPACE = "kube-system";

/**
 * What the metrics server may do, by the rules of its own manifest, and how the API server finds it.
 * @param ca The authority, in PEM, by which the API server checks the metrics server's certificate.
 */
export function metricsObjects(ca: string): Manifest[] {
  const { user, service } = METRICS_SERVER;
  const subject = { kind: "User", name: user };
  return [
    ...roleOf(user, [
      ["", ["nodes/metrics"], ["get"]],
      ["", ["pods", "nodes"], ["get", "list", "watch"]],
    ]),
    // It asks the API server who its callers are, and whether they may see what they ask for.
    bindingOf(`${user}:delegator`, "system:auth-delegator", subject),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: `${user}:reader`, namespace: NAMESPACE },
      roleRef: {
        apiGroup: "rbac.authorization.k8s.io",
        kind: "Role",
        name: "extension-apiserver-authentication-reader",
      },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", ...subject }],
    },
    ...nodeService(service, [{ name: "https", protocol: "TCP", port: 443, target: LAB.ports.metricsServer }]),
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `${VERSION}.${GROUP}` },
      spec: {
        group: GROUP,
        version: VERSION,
        groupPriorityMinimum: 100,
        versionPriority: 100,
        service: { name: service, namespace: NAMESPACE, port: 443 },
        caBundle: Buffer.from(ca).toString("base64"),
      },
    },
  ];
}

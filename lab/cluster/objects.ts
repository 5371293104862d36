import { LAB, NODE_LABELS } from "../settings.ts";
import type { KubernetesObject } from "./api.ts";

/** A Kubernetes object with whatever fields its kind has. */
export type Manifest = KubernetesObject & Readonly<Record<string, unknown>>;

/** What a user may do, as [API group, resources, verbs]. */
type Rule = readonly [group: string, resources: readonly string[], verbs: readonly string[]];

const READ = ["get", "list", "watch"] as const;

/** A cluster role and its binding to one of the lab's certificate users. */
export function roleOf(user: string, rules: readonly Rule[]): Manifest[] {
  return [
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: user },
      rules: rules.map(([group, resources, verbs]) => ({ apiGroups: [group], resources, verbs })),
    },
    bindingOf(user, user, { kind: "User", name: user }),
  ];
}

export const bindingOf = (name: string, role: string, subject: { kind: string; name: string }): Manifest => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "ClusterRoleBinding",
  metadata: { name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
  subjects: [{ apiGroup: "rbac.authorization.k8s.io", ...subject }],
});

const CALICO = "crd.projectcalico.org";

/** What the daemons of the node may do: less than Calico's own manifest gives, since there is no BGP, Typha or Calico IPAM. */
export function roleObjects(): Manifest[] {
  return [
    ...roleOf("mayfly-lab:coredns", [
      ["", ["services", "namespaces"], ["list", "watch"]],
      ["discovery.k8s.io", ["endpointslices"], ["list", "watch"]],
    ]),
    ...roleOf("mayfly-lab:calico-node", [
      ["", ["nodes", "namespaces", "pods", "serviceaccounts", "services"], READ],
      ["discovery.k8s.io", ["endpointslices"], ["list", "watch"]],
      ["networking.k8s.io", ["networkpolicies"], ["list", "watch"]],
      [
        CALICO,
        [
          "bgpconfigurations",
          "bgppeers",
          "blockaffinities",
          "caliconodestatuses",
          "clusterinformations",
          "felixconfigurations",
          "globalnetworkpolicies",
          "globalnetworksets",
          "hostendpoints",
          "ipamblocks",
          "ippools",
          "networkpolicies",
          "networksets",
        ],
        READ,
      ],
    ]),
    ...roleOf("mayfly-lab:calico-cni", [
      ["", ["pods", "nodes", "namespaces"], ["get"]],
      ["", ["pods/status"], ["patch"]],
      [CALICO, ["clusterinformations", "ippools"], ["get", "list"]],
    ]),
    // exec, logs and port-forward: the API server calls the kubelet in the user's place.
    bindingOf("mayfly-lab:kubelet-api", "system:kubelet-api-admin", {
      kind: "Group",
      name: "mayfly-lab:kubelet-api",
    }),
  ];
}

/** Calico's settings, which its own start-up container would make in a cluster that has one. */
export function calicoObjects(): Manifest[] {
  const apiVersion = `${CALICO}/v1`;
  return [
    {
      apiVersion,
      kind: "ClusterInformation",
      metadata: { name: "default" },
      spec: { datastoreReady: true, clusterType: "k8s,mayfly-lab" },
    },
    { apiVersion, kind: "FelixConfiguration", metadata: { name: "default" }, spec: {} },
    {
      apiVersion,
      kind: "IPPool",
      metadata: { name: "default-ipv4-ippool" },
      spec: {
        cidr: LAB.podCidr,
        ipipMode: "Never",
        vxlanMode: "Never",
        natOutgoing: true,
        nodeSelector: "all()",
      },
    },
  ];
}

/** Port of a Service, and that of the process behind it. */
interface ServicePort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly target: number;
}

/** A Service in kube-system before a process of the node. @param spec Of the Service, beside its ports. */
export function nodeService(name: string, ports: readonly ServicePort[], spec: object = {}): Manifest[] {
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name, namespace: "kube-system" },
      spec: { ...spec, ports: ports.map(({ target, ...port }) => ({ ...port, targetPort: target })) },
    },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      // Without a selector on the Service nobody else writes its endpoints; the label ties the two together.
      metadata: {
        name: `${name}-node`,
        namespace: "kube-system",
        ...{ labels: { "kubernetes.io/service-name": name } },
      },
      addressType: "IPv4",
      ports: ports.map(({ target, ...port }) => ({ ...port, port: target })),
      endpoints: [{ addresses: [LAB.nodeIp], conditions: { ready: true } }],
    },
  ];
}

/** The DNS Service in front of the CoreDNS process, and the default storage class. */
export function serviceObjects(): Manifest[] {
  const ports = ["UDP", "TCP"].map((protocol) => ({
    name: `dns-${protocol.toLowerCase()}`,
    protocol,
    port: 53,
    target: LAB.ports.dns,
  }));
  return [
    ...nodeService("kube-dns", ports, { clusterIP: LAB.dnsServiceIp }),
    {
      apiVersion: "storage.k8s.io/v1",
      kind: "StorageClass",
      metadata: {
        name: "standard",
        ...{ annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
      },
      provisioner: "kubernetes.io/host-path",
      reclaimPolicy: "Delete",
      volumeBindingMode: "Immediate",
    },
  ];
}

/** Labels that the kubelet sets only when it registers: kept right on a node that is there already. */
export const nodeObject = (): Manifest => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: LAB.nodeName, ...{ labels: NODE_LABELS } },
});

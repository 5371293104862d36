/**
 * The lab's fixed addresses. One lab per machine: the ranges are kubeadm's usual ones, so that what is written for other
 * clusters works here, and the node's own address lies inside the pod range, on a bridge that carries nothing else.
 */
export const LAB = {
  name: "lab",
  nodeName: "mayfly-lab",
  clusterDomain: "cluster.local",
  /** The node's address: API server, kubelet, DNS and S3 listen here, never on an address that others can reach. */
  nodeIp: "10.244.0.1",
  bridge: "mayfly0",
  podCidr: "10.244.0.0/16",
  /** What this one node hands out; `.1` is the node itself. */
  nodePodCidr: "10.244.0.0/24",
  serviceCidr: "10.96.0.0/16",
  kubernetesServiceIp: "10.96.0.1",
  dnsServiceIp: "10.96.0.10",
  cgroup: "mayfly-lab",
  region: "us-east-1",
  ports: {
    apiserver: 6443,
    kubelet: 10250,
    kubeletHealth: 10248,
    etcd: 2379,
    etcdPeer: 2380,
    etcdHealth: 2381,
    controllerManager: 10257,
    scheduler: 10259,
    kubeProxyHealth: 10256,
    kubeProxyMetrics: 10249,
    dns: 5353,
    dnsHealth: 8181,
    dnsReady: 8182,
    felixHealth: 9099,
    metricsServer: 4443,
    s3: 7070,
    postgres: 7432,
  },
} as const;

/** The names of the metrics server, which tells autoscalers and `kubectl top` what pods use. */
export const METRICS_SERVER = { user: "mayfly-lab:metrics-server", service: "metrics-server" } as const;

/**
 * Labels that production nodes carry too: zones and instance types are what plans place by. The pool's label is the environment's:
 * `pulumi up` puts it on.
 */
export const NODE_LABELS = {
  "kubernetes.io/hostname": LAB.nodeName,
  "topology.kubernetes.io/zone": "lab-a",
  "topology.kubernetes.io/region": "lab",
  "node.kubernetes.io/instance-type": "lab",
} as const;

/** The label that the environment puts on the node; the same as that of components/nodes. */
export const POOL_LABEL = "mayfly.dev/pool";

/** Tenants that the lab brings, each with its own S3 identity. */
export const LAB_TENANT = "demo";

/** The profile of the workers in the cluster, which may do less than Mayfly on this machine. */
export const LAB_WORKER = "worker";

/** Buckets and who besides Mayfly itself may use them. */
export const BUCKETS = [
  { name: "mayfly-logs", tenant: undefined },
  { name: "mayfly-state", tenant: undefined },
  { name: "demo-input", tenant: LAB_TENANT },
  { name: "demo-output", tenant: LAB_TENANT },
  { name: "demo-code", tenant: LAB_TENANT },
] as const;

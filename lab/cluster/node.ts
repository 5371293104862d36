import { join } from "node:path";
import { stringify } from "yaml";
import { RUN } from "../paths.ts";
import { LAB, NODE_LABELS } from "../settings.ts";
import { flags } from "./controlplane.ts";

/** Where the node's daemons find their files. */
export interface NodePaths {
  readonly certificates: string;
  readonly config: string;
  readonly containerd: string;
  readonly kubelet: string;
  readonly podLogs: string;
  readonly cniConfig: string;
  readonly cniBin: string;
}

export const PAUSE_IMAGE = "registry.k8s.io/pause:3.6";

/** containerd's configuration (version 2 of the format: containerd 1.5 to 2.x read it). Nothing of the host's own. */
export function containerdConfig({ containerd, cniConfig, cniBin }: NodePaths): string {
  const text = (value: string): string => JSON.stringify(value);
  return `version = 2
root = ${text(containerd)}
state = ${text(RUN.containerdState)}
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]

[grpc]
address = ${text(RUN.containerdSocket)}

[cgroup]
path = ${text(`/${LAB.cgroup}/containerd`)}

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${text(PAUSE_IMAGE)}
# Without the capability to raise priorities every other sandbox fails with "can't get final child's PID from pipe".
restrict_oom_score_adj = true
# Network namespaces below the lab's own folder instead of /var/run/netns.
netns_mounts_under_state_dir = true
stream_server_address = "127.0.0.1"

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
Root = ${text(RUN.runc)}

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = ${text(cniBin)}
conf_dir = ${text(cniConfig)}
`;
}

export function kubeletConfig(
  paths: Pick<NodePaths, "certificates" | "config" | "kubelet" | "podLogs">,
): string {
  return stringify({
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address: LAB.nodeIp,
    port: LAB.ports.kubelet,
    healthzBindAddress: "127.0.0.1",
    healthzPort: LAB.ports.kubeletHealth,
    containerRuntimeEndpoint: `unix://${RUN.containerdSocket}`,
    tlsCertFile: join(paths.certificates, "kubelet.crt"),
    tlsPrivateKeyFile: join(paths.certificates, "kubelet.key"),
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(paths.certificates, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    cgroupDriver: "cgroupfs",
    cgroupRoot: `/${LAB.cgroup}`,
    failCgroupV1: false,
    // CPU shares still hold, quotas don't: a laptop with two cores starts ten JVMs at once, and each may use what is idle. Production
    // nodes keep quotas, where predictable run times are worth more than a quick start.
    // https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/ (cpuCFSQuota)
    cpuCFSQuota: false,
    failSwapOn: false,
    clusterDNS: [LAB.dnsServiceIp],
    clusterDomain: LAB.clusterDomain,
    resolvConf: join(paths.config, "resolv.conf"),
    hairpinMode: "hairpin-veth",
    podLogsDir: paths.podLogs,
    volumePluginDir: join(paths.kubelet, "volume-plugins"),
    serializeImagePulls: false,
    maxPods: 200,
    podPidsLimit: 8192,
    // The lab's own daemons take about 1 GiB.
    systemReserved: { memory: "1Gi" },
    // Images come from archives, not from a registry: what is collected as garbage would be gone for good.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: { "memory.available": "200Mi", "nodefs.available": "1%", "imagefs.available": "1%" },
    containerLogMaxSize: "50Mi",
    containerLogMaxFiles: 3,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    registerWithTaints: [],
  });
}

export function kubeletArgs(paths: Pick<NodePaths, "config" | "kubelet">): string[] {
  return flags({
    config: join(paths.config, "kubelet.yaml"),
    kubeconfig: join(paths.config, "node.kubeconfig"),
    "root-dir": paths.kubelet,
    "cert-dir": join(paths.kubelet, "pki"),
    "hostname-override": LAB.nodeName,
    "node-ip": LAB.nodeIp,
    "node-labels": Object.entries(NODE_LABELS)
      // The kubelet sets this one itself and may not be told to.
      .filter(([name]) => name !== "kubernetes.io/hostname")
      .map(([name, value]) => `${name}=${value}`)
      .join(","),
  });
}

export function kubeProxyConfig({ config }: Pick<NodePaths, "config">): string {
  return stringify({
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    bindAddress: LAB.nodeIp,
    hostnameOverride: LAB.nodeName,
    healthzBindAddress: `127.0.0.1:${LAB.ports.kubeProxyHealth}`,
    metricsBindAddress: `127.0.0.1:${LAB.ports.kubeProxyMetrics}`,
    clientConnection: { kubeconfig: join(config, "kube-proxy.kubeconfig") },
    mode: "iptables",
    clusterCIDR: LAB.podCidr,
    // Node ports on the lab's own address only: not for the rest of the network.
    nodePortAddresses: [`${LAB.nodeIp}/32`],
    iptables: { localhostNodePorts: false, minSyncPeriod: "0s" },
    // Zero leaves the host's connection tracking settings as they are.
    conntrack: {
      maxPerCore: 0,
      min: 0,
      tcpEstablishedTimeout: "0s",
      tcpCloseWaitTimeout: "0s",
    },
  });
}

/** What pods with `dnsPolicy: Default` get, and where CoreDNS forwards: the host's name servers without its search list. */
export function resolvConf(hostResolvConf: string): string {
  const servers = hostResolvConf.split("\n").filter((line) => /^nameserver\s/.test(line));
  return `${servers.join("\n")}\n`;
}

/** CoreDNS on the node, behind the Service kube-dns. Without a name server on the host it answers for the cluster only. */
export function corefile({ config }: Pick<NodePaths, "config">, hostResolvConf: string): string {
  const forward = hostResolvConf.includes("nameserver")
    ? `    forward . ${join(config, "resolv.conf")}\n`
    : "";
  // Denials are not cached: a worker that looks for its coordinator a moment too early must find it at the next try.
  return `.:${LAB.ports.dns} {
    bind ${LAB.nodeIp}
    errors
    health 127.0.0.1:${LAB.ports.dnsHealth}
    ready 127.0.0.1:${LAB.ports.dnsReady}
    kubernetes ${LAB.clusterDomain} in-addr.arpa ip6.arpa {
        kubeconfig ${join(config, "coredns.kubeconfig")}
        ttl 5
        fallthrough in-addr.arpa ip6.arpa
    }
${forward}    cache 30 {
        disable denial ${LAB.clusterDomain}
    }
}
`;
}

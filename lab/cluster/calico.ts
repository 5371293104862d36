import { join } from "node:path";
import { LAB } from "../settings.ts";

/** Felix reads its settings from the environment: https://docs.tigera.io/calico/latest/reference/felix/configuration */
export function felixEnv(kubeconfig: string): Record<string, string> {
  const off = [
    "IPV6SUPPORT",
    "BPFENABLED",
    "XDPENABLED",
    "IPINIPENABLED",
    "VXLANENABLED",
    "WIREGUARDENABLED",
    // On by default: would tell a server of the maker's about each cluster.
    "USAGEREPORTINGENABLED",
  ].map((name) => [`FELIX_${name}`, "false"] as const);
  return {
    ...Object.fromEntries(off),
    FELIX_DATASTORETYPE: "kubernetes",
    DATASTORE_TYPE: "kubernetes",
    KUBECONFIG: kubeconfig,
    FELIX_FELIXHOSTNAME: LAB.nodeName,
    FELIX_IPTABLESBACKEND: "nft",
    FELIX_DEFAULTENDPOINTTOHOSTACTION: "ACCEPT",
    FELIX_CHAININSERTMODE: "insert",
    FELIX_DEVICEROUTESOURCEADDRESS: LAB.nodeIp,
    FELIX_HEALTHENABLED: "true",
    FELIX_HEALTHHOST: "127.0.0.1",
    FELIX_HEALTHPORT: String(LAB.ports.felixHealth),
    FELIX_LOGFILEPATH: "none",
    FELIX_LOGSEVERITYFILE: "none",
    FELIX_LOGSEVERITYSYS: "none",
    FELIX_LOGSEVERITYSCREEN: "Warning",
  };
}

/** The chain of CNI plugins of each pod: Calico with addresses from host-local, then portmap for host ports. */
export function cniConflist(paths: { config: string; cniData: string; logs: string }): string {
  return JSON.stringify(
    {
      cniVersion: "1.0.0",
      name: "mayfly-lab",
      plugins: [
        {
          type: "calico",
          datastore_type: "kubernetes",
          nodename: LAB.nodeName,
          nodename_file_optional: true,
          log_level: "Warning",
          log_file_path: join(paths.logs, "calico-cni.log"),
          mtu: 1500,
          ipam: {
            type: "host-local",
            ranges: [[{ subnet: LAB.nodePodCidr, rangeStart: "10.244.0.2" }]],
            dataDir: paths.cniData,
          },
          policy: { type: "k8s" },
          kubernetes: { kubeconfig: join(paths.config, "calico-cni.kubeconfig") },
        },
        { type: "portmap", snat: true, capabilities: { portMappings: true } },
      ],
    },
    undefined,
    2,
  );
}

import { join } from "node:path";
import type { Unit } from "../host/unit.ts";
import type { LabPaths } from "../paths.ts";
import type { ToolsOfGroup } from "../tools/types.ts";
import { cniConflist, felixEnv } from "./calico.ts";
import { apiserverArgs, controllerManagerArgs, etcdArgs, schedulerArgs } from "./controlplane.ts";
import { healthChecks } from "./health.ts";
import { metricsServerArgs } from "./metrics-server.ts";
import {
  containerdConfig,
  corefile,
  kubeletArgs,
  kubeletConfig,
  kubeProxyConfig,
  resolvConf,
} from "./node.ts";
import { rootFile, s3Args } from "./s3.ts";

/**
 * For daemons that call programs of the host: always the same, whatever PATH `lab up` is called with, since a daemon that
 * was started in another way than today is started anew.
 */
const DAEMON_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The S3 server, on loopback and on the address that pods reach too. */
export function s3Unit(paths: LabPaths, versitygw: string, addresses: readonly string[]): Unit {
  const check = healthChecks(paths);
  return {
    name: "s3",
    command: versitygw,
    args: s3Args(paths, addresses),
    after: [],
    watches: [rootFile(paths)],
    health: check.s3,
  };
}

/** What the cluster's daemons need to know of the host. */
export interface HostFacts {
  readonly containerd: string;
  readonly resolvConf: string;
}

/**
 * The daemons up to a working API server, and those that need objects in it (`applied`) before they work. Pure but for
 * the health checks: the same input gives the same units.
 */
export function clusterUnits(
  paths: LabPaths,
  tools: ToolsOfGroup["cluster"],
  host: HostFacts,
): { readonly base: Unit[]; readonly applied: Unit[] } {
  const check = healthChecks(paths);
  const certificate = (name: string): string => join(paths.certificates, name);
  const kubeconfig = (name: string): string => join(paths.config, `${name}.kubeconfig`);
  const api = ["ca.crt"].map(certificate);
  const base: Unit[] = [
    {
      name: "etcd",
      command: tools.etcd,
      args: etcdArgs(paths),
      after: [],
      watches: ["etcd.crt", "etcd-ca.crt"].map(certificate),
      health: check.etcd,
    },
    {
      name: "containerd",
      command: host.containerd,
      args: ["--config", join(paths.config, "containerd.toml"), "--log-level", "warn"],
      env: { PATH: DAEMON_PATH },
      after: [],
      files: {
        [join(paths.config, "containerd.toml")]: containerdConfig(paths),
        [join(paths.cniConfig, "10-mayfly-lab.conflist")]: cniConflist(paths),
      },
      health: check.containerd,
    },
    {
      name: "apiserver",
      command: tools.kubeApiserver,
      args: apiserverArgs(paths),
      after: ["etcd"],
      watches: [
        ...api,
        ...["apiserver.crt", "apiserver-etcd.crt", "apiserver-kubelet.crt", "front-proxy.crt"].map(
          certificate,
        ),
        certificate("service-accounts.pub"),
      ],
      health: check.apiserver,
    },
  ];
  const applied: Unit[] = [
    {
      name: "controller-manager",
      command: tools.kubeControllerManager,
      args: controllerManagerArgs(paths),
      after: [],
      watches: [...api, certificate("components.crt"), kubeconfig("controller-manager")],
      health: check["controller-manager"],
    },
    {
      name: "scheduler",
      command: tools.kubeScheduler,
      args: schedulerArgs(paths),
      after: [],
      watches: [...api, certificate("components.crt"), kubeconfig("scheduler")],
      health: check.scheduler,
    },
    {
      name: "kubelet",
      command: tools.kubelet,
      args: kubeletArgs(paths),
      env: { PATH: DAEMON_PATH },
      after: [],
      files: {
        [join(paths.config, "kubelet.yaml")]: kubeletConfig(paths),
        [join(paths.config, "resolv.conf")]: resolvConf(host.resolvConf),
      },
      watches: [...api, certificate("kubelet.crt"), kubeconfig("node")],
      health: check.kubelet,
    },
    {
      name: "kube-proxy",
      command: tools.kubeProxy,
      args: [`--config=${join(paths.config, "kube-proxy.yaml")}`],
      env: { PATH: DAEMON_PATH },
      // It asks for its own node at the start, and gives up on it after a while.
      after: ["kubelet"],
      files: { [join(paths.config, "kube-proxy.yaml")]: kubeProxyConfig(paths) },
      watches: [...api, kubeconfig("kube-proxy")],
      health: check["kube-proxy"],
    },
    {
      name: "coredns",
      command: tools.coredns,
      args: ["-conf", join(paths.config, "Corefile")],
      after: [],
      files: { [join(paths.config, "Corefile")]: corefile(paths, host.resolvConf) },
      watches: [...api, kubeconfig("coredns")],
      health: check.coredns,
    },
    {
      name: "felix",
      command: tools.calicoFelix,
      args: [],
      env: {
        ...felixEnv(kubeconfig("calico-node")),
        PATH: DAEMON_PATH,
      },
      after: ["kubelet"],
      watches: [...api, kubeconfig("calico-node")],
      health: check.felix,
    },
    {
      name: "metrics-server",
      command: tools.metricsServer,
      args: metricsServerArgs(paths),
      // It has little to do; its garbage collector would use every core for a moment.
      env: { GOMAXPROCS: "1" },
      after: [],
      watches: [
        ...api,
        certificate("front-proxy-ca.crt"),
        certificate("metrics-server.crt"),
        kubeconfig("metrics-server"),
      ],
      health: check["metrics-server"],
    },
  ];
  return { base, applied };
}

/** Certificate users with a kubeconfig of their own in the config folder: file name to certificate. */
export const KUBECONFIGS = {
  "controller-manager": "controller-manager",
  scheduler: "scheduler",
  node: "node",
  "kube-proxy": "kube-proxy",
  coredns: "coredns",
  "calico-node": "calico-node",
  "calico-cni": "calico-cni",
  "metrics-server": "metrics-server",
} as const;

import { join } from "node:path";
import { LAB } from "../settings.ts";

/** Where the control plane finds its files. */
export interface ControlPlanePaths {
  readonly certificates: string;
  readonly etcd: string;
  readonly config: string;
}

/** Programs take long options as `--name=value`. */
export const flags = (values: Readonly<Record<string, string | number | boolean>>): string[] =>
  Object.entries(values).map(([name, value]) => `--${name}=${String(value)}`);

/** etcd listens on loopback only and wants a certificate of its own authority from each client. */
export function etcdArgs({ certificates, etcd }: ControlPlanePaths): string[] {
  const client = `https://127.0.0.1:${LAB.ports.etcd}`;
  const peer = `http://127.0.0.1:${LAB.ports.etcdPeer}`;
  return flags({
    name: "lab",
    "data-dir": etcd,
    "listen-client-urls": client,
    "advertise-client-urls": client,
    "listen-peer-urls": peer,
    "initial-advertise-peer-urls": peer,
    "initial-cluster": `lab=${peer}`,
    "listen-metrics-urls": `http://127.0.0.1:${LAB.ports.etcdHealth}`,
    "cert-file": join(certificates, "etcd.crt"),
    "key-file": join(certificates, "etcd.key"),
    "trusted-ca-file": join(certificates, "etcd-ca.crt"),
    "client-cert-auth": true,
    // A lab may lose its last writes when the machine (not the process) dies; it may not wait for the disk at each write.
    "unsafe-no-fsync": true,
    // One member elects itself: no need to wait a second for others.
    "heartbeat-interval": 10,
    "election-timeout": 100,
    "auto-compaction-mode": "periodic",
    "auto-compaction-retention": "30m",
    "log-level": "warn",
  });
}

export function apiserverArgs({ certificates }: ControlPlanePaths): string[] {
  const certificate = (name: string): string => join(certificates, name);
  return flags({
    "bind-address": LAB.nodeIp,
    "advertise-address": LAB.nodeIp,
    "secure-port": LAB.ports.apiserver,
    "etcd-servers": `https://127.0.0.1:${LAB.ports.etcd}`,
    "etcd-cafile": certificate("etcd-ca.crt"),
    "etcd-certfile": certificate("apiserver-etcd.crt"),
    "etcd-keyfile": certificate("apiserver-etcd.key"),
    "tls-cert-file": certificate("apiserver.crt"),
    "tls-private-key-file": certificate("apiserver.key"),
    "client-ca-file": certificate("ca.crt"),
    "anonymous-auth": false,
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": true,
    "service-cluster-ip-range": LAB.serviceCidr,
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-signing-key-file": certificate("service-accounts.key"),
    "service-account-key-file": certificate("service-accounts.pub"),
    "kubelet-client-certificate": certificate("apiserver-kubelet.crt"),
    "kubelet-client-key": certificate("apiserver-kubelet.key"),
    "kubelet-certificate-authority": certificate("ca.crt"),
    "kubelet-preferred-address-types": "InternalIP",
    "requestheader-client-ca-file": certificate("front-proxy-ca.crt"),
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-username-headers": "X-Remote-User",
    "proxy-client-cert-file": certificate("front-proxy.crt"),
    "proxy-client-key-file": certificate("front-proxy.key"),
    "enable-aggregator-routing": true,
    profiling: false,
  });
}

export function controllerManagerArgs({ certificates, config }: ControlPlanePaths): string[] {
  const kubeconfig = join(config, "controller-manager.kubeconfig");
  return flags({
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": "127.0.0.1",
    "secure-port": LAB.ports.controllerManager,
    "tls-cert-file": join(certificates, "components.crt"),
    "tls-private-key-file": join(certificates, "components.key"),
    "leader-elect": false,
    "use-service-account-credentials": true,
    "allocate-node-cidrs": true,
    "cluster-cidr": LAB.podCidr,
    "service-cluster-ip-range": LAB.serviceCidr,
    "node-cidr-mask-size": 24,
    "root-ca-file": join(certificates, "ca.crt"),
    "cluster-signing-cert-file": join(certificates, "ca.crt"),
    "cluster-signing-key-file": join(certificates, "ca.key"),
    "service-account-private-key-file": join(certificates, "service-accounts.key"),
    "enable-hostpath-provisioner": true,
    // Defaults are for one busy cluster of thousands; here dozens of short-lived namespaces come and go at once.
    "kube-api-qps": 200,
    "kube-api-burst": 400,
    profiling: false,
  });
}

export function schedulerArgs({ certificates, config }: ControlPlanePaths): string[] {
  const kubeconfig = join(config, "scheduler.kubeconfig");
  return flags({
    kubeconfig,
    "authentication-kubeconfig": kubeconfig,
    "authorization-kubeconfig": kubeconfig,
    "bind-address": "127.0.0.1",
    "secure-port": LAB.ports.scheduler,
    "tls-cert-file": join(certificates, "components.crt"),
    "tls-private-key-file": join(certificates, "components.key"),
    "leader-elect": false,
    profiling: false,
  });
}

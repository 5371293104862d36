import { CALICO_NODE } from "../../components/platform/calico-values.ts";
import { STARTUP_TAINT_POD } from "../../components/platform/startup-taint-pod.ts";
import type { EksEnvironment } from "../../schema/environment/index.ts";

/** What one pod of the platform on each node asks for. */
interface Daemon {
  /** Millicores. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
}

/**
 * Requests of the managed add-ons' pods that every node carries, by their defaults; to see those of a cluster:
 * `kubectl get daemonsets -A -o custom-columns=N:.metadata.name,R:.spec.template.spec.containers[*].resources.requests`
 */
const ADDONS: readonly Daemon[] = [
  // aws-node with its network policy agent: https://github.com/aws/amazon-vpc-cni-k8s/blob/master/charts/aws-vpc-cni/values.yaml
  { cpu: 50, memory: 0 },
  // kube-proxy: https://docs.aws.amazon.com/eks/latest/userguide/managing-kube-proxy.html
  { cpu: 100, memory: 0 },
  // ebs-csi-node, three containers: https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/charts/aws-ebs-csi-driver/values.yaml
  { cpu: 30, memory: 120 },
  // eks-pod-identity-agent asks for nothing: https://github.com/aws/eks-pod-identity-agent/blob/main/charts/eks-pod-identity-agent/values.yaml
  { cpu: 0, memory: 0 },
];

/** What the platform's own pods take of every node: CPU in millicores, memory in MiB, and their number. */
export function daemonsOf({ platform }: EksEnvironment): Daemon & { readonly pods: number } {
  const all: readonly Daemon[] = [
    ...ADDONS,
    ...(platform.calico.install ? [CALICO_NODE] : []),
    ...(platform.startupTaint.install ? [STARTUP_TAINT_POD] : []),
  ];
  return {
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: all.reduce((sum, { memory }) => sum + memory, 0),
    pods: all.length,
  };
}

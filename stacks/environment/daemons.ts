import type { EksEnvironment } from "../../schema/environment/index.ts";

/** What one pod of the platform on each node asks for. */
interface Daemon {
  /** Millicores. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
}

/**
 * Requests of the pods that every node carries. Add-ons: the defaults of their managed versions, which set CPU only for most
 * (`kubectl get daemonset -A -o jsonpath=…` shows them); Calico and the start-up taint: what our own components set.
 */
const DAEMONS = {
  "aws-node": { cpu: 50, memory: 0 },
  "kube-proxy": { cpu: 100, memory: 0 },
  "ebs-csi-node": { cpu: 30, memory: 120 },
  "eks-pod-identity-agent": { cpu: 0, memory: 0 },
} as const satisfies Readonly<Record<string, Daemon>>;

const CALICO: Daemon = { cpu: 100, memory: 128 };
const STARTUP_TAINT: Daemon = { cpu: 10, memory: 16 };

/** What the platform's own pods take of every node: CPU in millicores, memory in MiB, and their number. */
export function daemonsOf({ platform }: EksEnvironment): Daemon & { readonly pods: number } {
  const all: readonly Daemon[] = [
    ...Object.values(DAEMONS),
    ...(platform.calico.install ? [CALICO] : []),
    ...(platform.startupTaint.install ? [STARTUP_TAINT] : []),
  ];
  return {
    cpu: all.reduce((sum, { cpu }) => sum + cpu, 0),
    memory: all.reduce((sum, { memory }) => sum + memory, 0),
    pods: all.length,
  };
}

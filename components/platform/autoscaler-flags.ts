/** How fast Cluster Autoscaler brings and takes nodes. Durations as its flags take them: `1m`, `90s`. */
export interface AutoscalerTiming {
  /** How long a node that nobody needs is kept. Flag `scale-down-unneeded-time`. */
  readonly unneeded: string;
  /** How long a node that does not answer is kept. `scale-down-unready-time`. */
  readonly unready: string;
  /** Rest of a node group after it grew, before it may shrink. `scale-down-delay-after-add`. */
  readonly afterAdd: string;
  /** How long a new node may take, until the next group is tried. `max-node-provision-time`. */
  readonly provision: string;
}

/**
 * For clusters that live minutes. The defaults of Cluster Autoscaler (10, 20, 10 and 15 minutes) are for services.
 */
export const FAST: AutoscalerTiming = { unneeded: "1m", unready: "5m", afterAdd: "1m", provision: "5m" };

/**
 * Flags beside those that the chart sets: https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#what-are-the-parameters-to-ca
 */
export function autoscalerFlags(
  timing: Partial<AutoscalerTiming> = {},
): Readonly<Record<string, string | number | boolean>> {
  const { unneeded, unready, afterAdd, provision } = { ...FAST, ...timing };
  return {
    logtostderr: true,
    stderrthreshold: "info",
    v: 2,
    "scan-interval": "10s",
    expander: "priority,least-waste",
    "max-node-provision-time": provision,
    "scale-down-unneeded-time": unneeded,
    "scale-down-unready-time": unready,
    "scale-down-delay-after-add": afterAdd,
    "scale-down-delay-after-delete": "0s",
    // A run that starts in one group doesn't keep the nodes of all others.
    "scale-down-delay-type-local": true,
    "unremovable-node-recheck-timeout": "1m",
    // Every engine pod has emptyDir. Drivers are kept by their annotation safe-to-evict=false instead.
    "skip-nodes-with-local-storage": false,
    // DaemonSets run on every node; a node with nothing else is an empty one.
    "ignore-daemonsets-utilization": true,
    // A run stays in one zone: growing its group's siblings in other zones would bring nodes that it can't use.
    "balance-similar-node-groups": false,
  };
}

/** Priorities of the expander: the first preference gets the highest number; whatever none of them matches is last. */
export function priorities(
  preferences: readonly (readonly string[])[],
): Readonly<Record<string, readonly string[]>> {
  const ranked = [...preferences, [".*"]].filter((patterns) => patterns.length > 0);
  return Object.fromEntries(
    ranked.map((patterns, index) => [String((ranked.length - index) * 10), patterns] as const),
  );
}

/** A taint as Kubernetes writes it. */
export interface Taint {
  readonly key: string;
  readonly value: string;
  readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
}

/** What one node offers to pods: millicores, MiB, MiB, number. */
export interface Room {
  readonly cpu: number;
  readonly memory: number;
  readonly scratch: number;
  readonly pods: number;
}

/** How long nodes are kept, in seconds. */
export interface Lifetime {
  /** A node that nobody needs. */
  readonly idle: number;
  /** A node that does not answer. */
  readonly unready: number;
}

/** What Cluster Autoscaler has to know of a group without nodes. */
export interface GroupFacts {
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly allocatable: Room;
  readonly lifetime: Lifetime;
  /** The autoscaler's own flags; only what differs gets a tag. */
  readonly defaultLifetime: Lifetime;
}

export interface Tag {
  readonly key: string;
  readonly value: string;
}

const TEMPLATE = "k8s.io/cluster-autoscaler/node-template";

/** Taints with these prefixes are on a node only while it starts; the autoscaler plans without them. */
const PASSING = /^(startup|status|ignore)-taint\.cluster-autoscaler\.kubernetes\.io\//;

/**
 * Tags of the auto-scaling group, each a resource of its own since tags of a managed node group don't reach it. Without
 * nodes to look at, the autoscaler builds its picture of one from them
 * (cluster-autoscaler/cloudprovider/aws/aws_manager.go, buildNodeFromTemplate); a taint counts only as `<value>:<Effect>`.
 * What it knows by itself gets none: instance type, architecture, zone, and the two discovery tags, which EKS puts on the
 * groups of managed node groups (https://docs.aws.amazon.com/eks/latest/userguide/managed-node-groups.html).
 */
export function autoscalerTags(facts: GroupFacts): readonly Tag[] {
  const { labels, taints, allocatable, lifetime, defaultLifetime } = facts;
  const option = (name: string, seconds: number, usual: number): readonly Tag[] =>
    seconds === usual ? [] : [{ key: `${TEMPLATE}/autoscaling-options/${name}`, value: `${seconds}s` }];
  return [
    ...Object.entries(labels).map(([label, value]) => ({ key: `${TEMPLATE}/label/${label}`, value })),
    ...taints
      .filter(({ key }) => !PASSING.test(key))
      .map(({ key, value, effect }) => ({ key: `${TEMPLATE}/taint/${key}`, value: `${value}:${effect}` })),
    // The autoscaler's own idea of a node has no disk at all, and Spark and Flink pods ask for it.
    { key: `${TEMPLATE}/resources/ephemeral-storage`, value: `${allocatable.scratch}Mi` },
    ...option("scaledownunneededtime", lifetime.idle, defaultLifetime.idle),
    ...option("scaledownunreadytime", lifetime.unready, defaultLifetime.unready),
  ];
}

/**
 * Tags of the node group itself, which cost no resource. The autoscaler asks EKS for them and lets them win over its own
 * figures, which are the instance type's whole CPU and memory and 110 pods: with these it plans with what kubelet and
 * system leave. They count for groups that never had a node since the autoscaler started; later it copies a node that it
 * has seen.
 */
export const nodeGroupTags = ({ cpu, memory, scratch, pods }: Room): Readonly<Record<string, string>> => ({
  [`${TEMPLATE}/resources/cpu`]: `${cpu}m`,
  [`${TEMPLATE}/resources/memory`]: `${memory}Mi`,
  [`${TEMPLATE}/resources/ephemeral-storage`]: `${scratch}Mi`,
  [`${TEMPLATE}/resources/pods`]: String(pods),
});

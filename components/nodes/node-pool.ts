import * as autoscaling from "@pulumi/aws/autoscaling/index.js";
import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as eks from "@pulumi/aws/eks/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { autoscalerTags, type Lifetime, nodeGroupTags, type Room, type Taint } from "./autoscaler-tags.ts";
import { POOL_LABEL } from "./existing-pool.ts";
import { AMI_TYPES, type Architecture, launchTemplateArgs, type NodeShape } from "./launch-template.ts";
import { EKS_EFFECTS, RUNS_TAINT, SPOT_TAINT, STARTUP_TAINT } from "./taints.ts";

/** Arguments of a {@link NodePool}. */
export interface NodePoolArgs extends NodeShape {
  /** The pool's name, and the value of label `mayfly.dev/pool`. */
  readonly pool: string;
  readonly clusterName: pulumi.Input<string>;
  /** Minor version of the nodes, such as `1.34`: the cluster's or an older one. */
  readonly version: string;
  /** Of one shape (vCPUs, memory) and architecture: the autoscaler plans with the first. */
  readonly instanceTypes: readonly string[];
  readonly architecture: Architecture;
  readonly capacity: "on-demand" | "spot";
  readonly zones: readonly { readonly zone: string; readonly nodeSubnetId: pulumi.Input<string> }[];
  /** Nodes of each zone. */
  readonly nodesPerZone: { readonly min: number; readonly max: number };
  /** Labels beside `mayfly.dev/pool`. Each costs one more resource in each zone. */
  readonly labels: Readonly<Record<string, string>>;
  /** Taints beside the platform's own; likewise. */
  readonly taints: readonly Taint[];
  /** Whether new nodes take no pods until Calico enforces policies on them; something has to take that taint off. */
  readonly startupTaint: boolean;
  /** What one node offers to pods, the platform's own included: the autoscaler takes DaemonSets off by itself. */
  readonly allocatable: Room;
  readonly lifetime: Lifetime;
  /** What Cluster Autoscaler's flags say. */
  readonly defaultLifetime: Lifetime;
  readonly nodeRoleArn: pulumi.Input<string>;
  readonly provider: Provider;
}

/**
 * Nodes for runs: one managed node group in each zone, from zero. By zone, because a run lives in one and because a group
 * over several is balanced by killing nodes that have work
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-benefits.html#AutoScalingBehavior.InstanceUsage).
 * See docs/components/node-pool.md.
 */
export class NodePool extends Component {
  /** Selects the pool's nodes. */
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** Taints that runs have to tolerate. */
  readonly taints: readonly Taint[];

  constructor(name: string, args: NodePoolArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "nodes:NodePool",
      name,
      {
        pool: args.pool,
        instanceTypes: [...args.instanceTypes],
        capacity: args.capacity,
        zones: args.zones.map(({ zone }) => zone),
        nodesPerZone: args.nodesPerZone,
        version: args.version,
      },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    this.nodeSelector = { [POOL_LABEL]: args.pool };
    this.taints = [RUNS_TAINT, ...(args.capacity === "spot" ? [SPOT_TAINT] : []), ...args.taints];

    const template = new ec2.LaunchTemplate(
      this.childName("template"),
      launchTemplateArgs(name, { ...args, tags: { ...args.tags, [POOL_LABEL]: args.pool } }),
      this.childOptions(),
    );
    const groups = args.zones.map((zone) => this.#group(args, zone, template));
    this.seal({ autoScalingGroups: groups });
  }

  /** One zone's node group and its tags; returns the name of its auto-scaling group. */
  #group(
    args: NodePoolArgs,
    { zone, nodeSubnetId }: NodePoolArgs["zones"][number],
    template: ec2.LaunchTemplate,
  ): pulumi.Output<string> {
    const labels = { ...args.labels, ...this.nodeSelector };
    const taints = [...this.taints, ...(args.startupTaint ? [STARTUP_TAINT] : [])];
    // Named by Pulumi (`<name>-<7 random characters>`), so that a replacement can be made before the old one goes.
    const group = new eks.NodeGroup(
      this.childName(zone),
      {
        clusterName: args.clusterName,
        nodeRoleArn: args.nodeRoleArn,
        subnetIds: [nodeSubnetId],
        version: args.version,
        amiType: AMI_TYPES[args.architecture],
        capacityType: args.capacity === "spot" ? "SPOT" : "ON_DEMAND",
        instanceTypes: [...args.instanceTypes],
        launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
        scalingConfig: {
          minSize: args.nodesPerZone.min,
          maxSize: args.nodesPerZone.max,
          desiredSize: args.nodesPerZone.min,
        },
        labels,
        taints: taints.map(({ key, value, effect }) => ({ key, value, effect: EKS_EFFECTS[effect] })),
        // A third at a time: an update must not take all nodes of a zone, nor last for hours.
        updateConfig: { maxUnavailablePercentage: 33 },
        // Never evict by force: an update that meets a run's driver fails and says so. Drain the pool first
        // (docs/components/node-pool.md).
        forceUpdateVersion: false,
        tags: nodeGroupTags(args.allocatable),
      },
      // The number of nodes belongs to Cluster Autoscaler; an update must not send running nodes away.
      this.childOptions({ ignoreChanges: ["scalingConfig.desiredSize"] }),
    );
    const autoscalingGroupName = group.resources.apply(autoScalingGroupName);
    for (const tag of autoscalerTags({ ...args, labels, taints })) {
      new autoscaling.Tag(
        this.childName(`${zone}-${shortKey(tag.key)}`),
        // Instances don't need it: it is read from the group.
        { autoscalingGroupName, tag: { ...tag, propagateAtLaunch: false } },
        this.childOptions({ deletedWith: group }),
      );
    }
    return autoscalingGroupName;
  }
}

/** A managed node group has exactly one. */
function autoScalingGroupName(
  resources: readonly { readonly autoscalingGroups?: readonly { readonly name?: string }[] }[],
): string {
  const name = resources[0]?.autoscalingGroups?.[0]?.name;
  if (name === undefined) throw new Error("EKS reports no auto-scaling group for the node group");
  return name;
}

/** The part of a tag's key that tells it from its siblings, as part of a resource name: `label-mayfly.dev-pool`. */
const shortKey = (key: string): string =>
  key.replace("k8s.io/cluster-autoscaler/node-template/", "").replaceAll("/", "-");

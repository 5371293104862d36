import * as ec2 from "@pulumi/aws/ec2/index.js";
import * as eks from "@pulumi/aws/eks/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { POOL_LABEL } from "./existing-pool.ts";
import { AMI_TYPES, type Architecture, launchTemplateArgs, type NodeShape } from "./launch-template.ts";

/** Arguments of a {@link SystemPool}. */
export interface SystemPoolArgs extends Omit<NodeShape, "localDisks"> {
  readonly clusterName: pulumi.Input<string>;
  /** Minor version of the nodes, such as `1.34`. */
  readonly version: string;
  readonly instanceType: string;
  readonly architecture: Architecture;
  readonly zones: readonly { readonly zone: string; readonly nodeSubnetId: pulumi.Input<string> }[];
  /** Nodes of each zone. The least is 1: somebody has to answer names and scale the pools from zero. */
  readonly nodesPerZone: { readonly min: number; readonly max: number };
  readonly nodeRoleArn: pulumi.Input<string>;
  readonly provider: Provider;
}

/** Name of the system pool, and the value of label `mayfly.dev/pool` on its nodes. */
export const SYSTEM_POOL = "system";

/**
 * Nodes for the platform's own services, on demand, never from zero: one group in each zone, so that a zone can come or go without the nodes of the
 * others (EKS can't move a node group to other subnets). It has no taint: pods that nobody placed end here and not on a tenant's node.
 */
export class SystemPool extends Component {
  readonly nodeSelector: Readonly<Record<string, string>> = { [POOL_LABEL]: SYSTEM_POOL };

  constructor(name: string, args: SystemPoolArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "nodes:SystemPool",
      name,
      { instanceType: args.instanceType, nodesPerZone: args.nodesPerZone, version: args.version },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const template = new ec2.LaunchTemplate(
      this.childName("template"),
      launchTemplateArgs(name, {
        ...args,
        localDisks: "unused",
        tags: { ...args.tags, [POOL_LABEL]: SYSTEM_POOL },
      }),
      this.childOptions(),
    );
    const groups = args.zones.map((zone) => this.#group(args, zone, template));
    this.seal({ groups: groups.map(({ nodeGroupName }) => nodeGroupName) });
  }

  #group(
    args: SystemPoolArgs,
    { zone, nodeSubnetId }: SystemPoolArgs["zones"][number],
    template: ec2.LaunchTemplate,
  ): eks.NodeGroup {
    const { min, max } = args.nodesPerZone;
    return new eks.NodeGroup(
      this.childName(zone),
      {
        clusterName: args.clusterName,
        nodeRoleArn: args.nodeRoleArn,
        subnetIds: [nodeSubnetId],
        version: args.version,
        amiType: AMI_TYPES[args.architecture],
        capacityType: "ON_DEMAND",
        instanceTypes: [args.instanceType],
        launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
        scalingConfig: { minSize: min, maxSize: max, desiredSize: min },
        labels: this.nodeSelector,
        updateConfig: { maxUnavailable: 1 },
        forceUpdateVersion: false,
      },
      // Cluster Autoscaler grows these groups too.
      this.childOptions({ ignoreChanges: ["scalingConfig.desiredSize"] }),
    );
  }
}

import * as iam from "@pulumi/aws/iam/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { managedPolicy } from "../cluster/managed-policies.ts";
import { Component } from "../core/component.ts";

/** Arguments of a {@link NodeRole}. */
export interface NodeRoleArgs {
  readonly region: string;
  readonly provider: Provider;
}

/** What a kubelet needs, and nothing of what its pods need: those have roles of their own. No S3, no network interfaces. */
export const NODE_POLICIES = ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"] as const;

/**
 * The one role of all nodes. EKS itself makes its access entry, of type EC2_LINUX, with the first managed node group that has it
 * (https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html).
 */
export class NodeRole extends Component {
  /** Known once the role has its policies: a node that starts without them never joins. */
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: NodeRoleArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "nodes:NodeRole",
      name,
      { policies: [...NODE_POLICIES] },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const role = new iam.Role(
      this.childName("role"),
      {
        description: "Nodes of the cluster",
        assumeRolePolicy: JSON.stringify({
          Version: "2012-10-17",
          Statement: [
            { Effect: "Allow", Principal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
          ],
        }),
      },
      this.childOptions(),
    );
    const attachments = NODE_POLICIES.map(
      (policy) =>
        new iam.RolePolicyAttachment(
          this.childName(policy),
          { role: role.name, policyArn: managedPolicy(args.region, policy) },
          this.childOptions(),
        ),
    );
    this.roleArn = pulumi.all([role.arn, pulumi.all(attachments.map(({ id }) => id))]).apply(([arn]) => arn);
    this.seal({ roleArn: this.roleArn });
  }
}

import * as iam from "@pulumi/aws/iam/index.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";

/** Arguments of a {@link PodIdentityRole}. */
export interface PodIdentityRoleArgs {
  readonly clusterName: pulumi.Input<string>;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** ARNs of policies that AWS or others keep. */
  readonly managedPolicyArns: readonly string[];
  /** A policy of our own, as JSON. */
  readonly policy?: pulumi.Input<string>;
}

/**
 * A role for the pods of one service account of one cluster. Whoever uses it waits for its policies too, by `dependsOn` on
 * the whole.
 */
export class PodIdentityRole extends Component {
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: PodIdentityRoleArgs, options: pulumi.ComponentResourceOptions) {
    super(
      "cluster:PodIdentityRole",
      name,
      { namespace: args.namespace, serviceAccount: args.serviceAccount },
      options,
    );
    const role = new iam.Role(
      this.childName("role"),
      {
        description: `Pods of ${args.namespace}/${args.serviceAccount}`,
        assumeRolePolicy: pulumi
          .output(args.clusterName)
          .apply((clusterName) => JSON.stringify(trust(clusterName, args.namespace, args.serviceAccount))),
      },
      this.childOptions(),
    );
    for (const policyArn of args.managedPolicyArns) {
      new iam.RolePolicyAttachment(
        this.childName(policyArn.split("/").at(-1) ?? policyArn),
        { role: role.name, policyArn },
        this.childOptions(),
      );
    }
    if (args.policy !== undefined) {
      new iam.RolePolicy(
        this.childName("policy"),
        { role: role.name, policy: args.policy },
        this.childOptions(),
      );
    }
    this.roleArn = role.arn;
    this.seal({ roleArn: this.roleArn });
  }
}

/** EKS names cluster, namespace and account in session tags: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html */
const trust = (clusterName: string, namespace: string, serviceAccount: string) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Principal: { Service: "pods.eks.amazonaws.com" },
      Action: ["sts:AssumeRole", "sts:TagSession"],
      Condition: {
        StringEquals: {
          "aws:RequestTag/eks-cluster-name": clusterName,
          "aws:RequestTag/kubernetes-namespace": namespace,
          "aws:RequestTag/kubernetes-service-account": serviceAccount,
        },
      },
    },
  ],
});

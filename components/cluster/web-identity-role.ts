import * as iam from "@pulumi/aws/iam/index.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";

/** Arguments of a {@link WebIdentityRole}. */
export interface WebIdentityRoleArgs {
  /** The cluster's OIDC provider. */
  readonly oidcProviderArn: pulumi.Input<string>;
  /** Its issuer; `https://` may be left out. */
  readonly oidcProviderUrl: pulumi.Input<string>;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** A policy document, as JSON. */
  readonly policy: pulumi.Input<string>;
}

/**
 * A role that pods of one service account take with a token of theirs: for programs that read credentials from a profile, where the
 * Pod Identity agent's variables can't be used.
 */
export class WebIdentityRole extends Component {
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: WebIdentityRoleArgs, options: pulumi.ComponentResourceOptions) {
    const { namespace, serviceAccount } = args;
    super("cluster:WebIdentityRole", name, { namespace, serviceAccount }, options);
    const role = new iam.Role(
      this.childName("role"),
      {
        description: `Pods of ${namespace}/${serviceAccount}`,
        assumeRolePolicy: pulumi
          .all([args.oidcProviderArn, args.oidcProviderUrl])
          .apply(([arn, url]) => JSON.stringify(trust(arn, url, namespace, serviceAccount))),
      },
      this.childOptions(),
    );
    new iam.RolePolicy(
      this.childName("policy"),
      { role: role.name, policy: args.policy },
      this.childOptions(),
    );
    this.roleArn = role.arn;
    this.seal({ roleArn: this.roleArn });
  }
}

/** https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html */
function trust(providerArn: string, url: string, namespace: string, serviceAccount: string): object {
  const issuer = url.replace(/^https:\/\//, "");
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { Federated: providerArn },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
          StringEquals: {
            [`${issuer}:aud`]: "sts.amazonaws.com",
            [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${serviceAccount}`,
          },
        },
      },
    ],
  };
}

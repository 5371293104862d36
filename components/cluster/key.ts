import * as kms from "@pulumi/aws/kms/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { partitionOf } from "./managed-policies.ts";

/** Arguments of an {@link EncryptionKey}. */
export interface EncryptionKeyArgs {
  /** Alias without `alias/`, such as `mayfly-prod`. */
  readonly alias: string;
  readonly region: string;
  readonly accountId: pulumi.Input<string>;
  /** Whether it refuses to be deleted. Without its key all that it encrypted is lost. */
  readonly protect: boolean;
  readonly provider: Provider;
}

/** The key that encrypts the cluster's Secrets, the nodes' volumes, the state bucket and the image repositories. */
export class EncryptionKey extends Component {
  readonly keyArn: pulumi.Output<string>;

  constructor(name: string, args: EncryptionKeyArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "cluster:EncryptionKey",
      name,
      { alias: args.alias },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const key = new kms.Key(
      this.childName("key"),
      {
        description: `Mayfly ${args.alias}: Secrets, volumes, state and images`,
        enableKeyRotation: true,
        // Longest that KMS offers: time to notice that the key was still needed.
        deletionWindowInDays: 30,
        policy: pulumi
          .output(args.accountId)
          .apply((accountId) => JSON.stringify(keyPolicy(args.region, accountId))),
      },
      this.childOptions({ protect: args.protect }),
    );
    new kms.Alias(
      this.childName("alias"),
      { name: `alias/${args.alias}`, targetKeyId: key.keyId },
      this.childOptions(),
    );
    this.keyArn = key.arn;
    this.seal({ keyArn: this.keyArn });
  }
}

/**
 * Two statements. The first is the one that every key has by default: IAM policies of the account decide
 * (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html). The second lets EC2 use the key for
 * volumes, whoever starts the instance: an auto-scaling group does so under a service role of its own, which may not exist
 * yet in a new account and so can't be named here
 * (https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html).
 */
export const keyPolicy = (region: string, accountId: string) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "AccountDecides",
      Effect: "Allow",
      Principal: { AWS: `arn:${partitionOf(region)}:iam::${accountId}:root` },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "VolumesOfThisAccount",
      Effect: "Allow",
      Principal: { AWS: "*" },
      Action: [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:CreateGrant",
        "kms:DescribeKey",
      ],
      Resource: "*",
      Condition: {
        StringEquals: { "kms:CallerAccount": accountId, "kms:ViaService": `ec2.${region}.amazonaws.com` },
      },
    },
  ],
});

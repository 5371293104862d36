import type { LaunchTemplateArgs } from "@pulumi/aws/ec2/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { type NodeConfig, nodeUserData } from "./user-data.ts";

/** What the nodes of a pool have in common. */
export interface NodeShape extends NodeConfig {
  /** Size of the root volume in GiB. */
  readonly rootVolume: number;
  readonly encryptionKeyArn: pulumi.Input<string>;
  /** Tags of instances and volumes, for the bill: the provider's default tags don't reach what an auto-scaling group starts. */
  readonly tags: Readonly<Record<string, string>>;
}

/** Processor of a pool's instance types, as Kubernetes calls it in label `kubernetes.io/arch`. */
export type Architecture = "amd64" | "arm64";

/** EKS's own image of Amazon Linux 2023: https://docs.aws.amazon.com/eks/latest/APIReference/API_Nodegroup.html */
export const AMI_TYPES: Readonly<Record<Architecture, string>> = {
  amd64: "AL2023_x86_64_STANDARD",
  arm64: "AL2023_ARM_64_STANDARD",
};

/** A launch template for a managed node group. Image, role and groups stay EKS's part. */
export const launchTemplateArgs = (name: string, shape: NodeShape): LaunchTemplateArgs => ({
  description: `Nodes of ${name}`,
  updateDefaultVersion: true,
  // With one hop an answer reaches the host's own processes and no pod:
  // https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
  metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
  blockDeviceMappings: [
    {
      // Root device of Amazon Linux.
      deviceName: "/dev/xvda",
      ebs: {
        volumeType: "gp3",
        volumeSize: shape.rootVolume,
        encrypted: "true",
        kmsKeyId: shape.encryptionKeyArn,
        deleteOnTermination: "true",
      },
    },
  ],
  userData: Buffer.from(nodeUserData(shape), "utf8").toString("base64"),
  tagSpecifications: ["instance", "volume"].map((resourceType) => ({
    resourceType,
    tags: { ...shape.tags, Name: name },
  })),
});

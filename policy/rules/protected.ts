import { isProduction } from "../resource.ts";
import type { ResourceRule } from "../rule.ts";

/** What holds data that can't be made again, or what all else stands in. */
const STATEFUL = new Set([
  "aws:ec2/vpc:Vpc",
  "aws:eks/cluster:Cluster",
  "aws:kms/key:Key",
  "aws:s3/bucket:Bucket",
  "aws:s3/bucketV2:BucketV2",
  "aws:ecr/repository:Repository",
  "aws:ebs/volume:Volume",
  "aws:efs/fileSystem:FileSystem",
  "kubernetes:core/v1:PersistentVolume",
]);

export const protectedState: ResourceRule = {
  scope: "resource",
  name: "protect-stateful-resources",
  description:
    "Set Pulumi's option `protect` on what must not go by accident in production: network, cluster, keys, buckets, repositories, kept volumes.",
  url: "https://www.pulumi.com/docs/iac/concepts/resources/options/protect/",
  judges: ({ type }) => STATEFUL.has(type),
  check: (resource) =>
    isProduction(resource) && !resource.protect
      ? [{ path: "protect", message: "is not set (a resource option, not a property)" }]
      : [],
};

/**
 * The AWS partition that a region belongs to:
 * https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
 */
export function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

/** ARN of a policy that AWS itself keeps. */
export const managedPolicy = (region: string, name: string): string =>
  `arn:${partitionOf(region)}:iam::aws:policy/${name}`;

/** ARN of an EKS access policy: https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html */
export const accessPolicy = (region: string, name: string): string =>
  `arn:${partitionOf(region)}:eks::aws:cluster-access-policy/${name}`;

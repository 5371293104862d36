import type { InstanceType } from "./instances.ts";

/** Addresses in the /28 that an interface's slot holds with prefix delegation. */
const PREFIX = 16;

/** Pods on the host's own network, which need no address: the VPC CNI plugin and kube-proxy. */
const HOST_NETWORK = 2;

/**
 * The ceiling that AWS recommends, since the kubelet was tested to it: 110 pods, 250 on more than 30 vCPUs. Source: `max-pods-calculator.sh`
 * of https://github.com/awslabs/amazon-eks-ami and https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html.
 */
export const podCeiling = ({ vcpus }: InstanceType): number => (vcpus > 30 ? 250 : 110);

/**
 * How pods of a node get their addresses from the VPC CNI plugin.
 * - `addresses`: one by one from the node's subnet, as the EKS images count.
 * - `prefixes`: in whole /28 from there (prefix delegation).
 * - `prefixes-apart`: in whole /28 from subnets of their own (prefix delegation with custom networking), as Mayfly's environments do it:
 *   the node's first interface then takes no pods.
 */
export type Addressing = "addresses" | "prefixes" | "prefixes-apart";

/**
 * How many pods the VPC CNI plugin can give an address on a node.
 *
 * `addresses`: interfaces × (addresses − 1) + 2, the number that the EKS images start the kubelet with (`eni-max-pods.txt` of
 * https://github.com/aws/amazon-vpc-cni-k8s v1.23.2; all 740 types agree). With prefixes each address but the first stands for 16, and
 * {@link podCeiling} is what mostly counts. Source of all three: `max-pods-calculator.sh` of https://github.com/awslabs/amazon-eks-ami.
 */
export function maxPods(type: InstanceType, addressing: Addressing): number {
  const { enis, addressesPerEni } = type;
  const slots = (interfaces: number): number => interfaces * (addressesPerEni - 1);
  const ceiling = podCeiling(type);
  switch (addressing) {
    case "addresses":
      return slots(enis) + HOST_NETWORK;
    case "prefixes":
      return Math.min(slots(enis) * PREFIX + HOST_NETWORK, ceiling);
    case "prefixes-apart":
      return Math.min(slots(enis - 1) * PREFIX + HOST_NETWORK, ceiling);
  }
}

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
 * How many pods the VPC CNI plugin can give an address on a node.
 *
 * Without prefix delegation: interfaces × (addresses − 1) + 2, the number that the EKS images start the kubelet with
 * (`eni-max-pods.txt` of https://github.com/aws/amazon-vpc-cni-k8s v1.23.2; all 740 types agree). With prefix delegation each
 * address but the first stands for 16, and {@link podCeiling} is what counts.
 */
export function maxPods(type: InstanceType, options: { readonly prefixDelegation: boolean }): number {
  const slots = type.enis * (type.addressesPerEni - 1);
  if (!options.prefixDelegation) return slots + HOST_NETWORK;
  return Math.min(slots * PREFIX + HOST_NETWORK, podCeiling(type));
}

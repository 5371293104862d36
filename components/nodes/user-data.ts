/** What a node's start-up is told. */
export interface NodeConfig {
  /** Pods that the kubelet takes at most. */
  readonly maxPods: number;
  /** `scratch`: the instance's NVMe disks become one RAID 0 under the kubelet's and containerd's folders. */
  readonly localDisks: "unused" | "scratch";
}

/**
 * User data of a node of EKS's Amazon Linux 2023 image, as text: a MIME document with one NodeConfig, which EKS merges with
 * its own that holds the cluster's address
 * (https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html#launch-template-user-data,
 * https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/).
 */
export function nodeUserData({ maxPods, localDisks }: NodeConfig): string {
  const boundary = "mayfly";
  return [
    "MIME-Version: 1.0",
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    "Content-Type: application/node.eks.aws",
    "",
    "---",
    "apiVersion: node.eks.aws/v1alpha1",
    "kind: NodeConfig",
    "spec:",
    "  kubelet:",
    "    config:",
    `      maxPods: ${maxPods}`,
    // As a flag too: EKS's own NodeConfig sets maxPods as well and may come later, where it wins. Flags of all of them are kept
    // (nodeadm/internal/api/merge.go), and the kubelet takes a flag before its config file.
    "    flags:",
    `      - --max-pods=${maxPods}`,
    ...(localDisks === "scratch" ? ["  instance:", "    localStorage:", "      strategy: RAID0"] : []),
    "",
    `--${boundary}--`,
    "",
  ].join("\n");
}

import { UserError } from "../../base/errors.ts";
import type { InstanceType } from "./instances.ts";
import { maxPods } from "./pods.ts";

/** What a node offers to pods, daemons of the platform included. */
export interface NodeAllocatable {
  /** Millicores. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  /** MiB of ephemeral storage. */
  readonly scratch: number;
  readonly pods: number;
}

export interface AllocatableOptions {
  /** The kubelet's maxPods (pods.ts). */
  readonly maxPods: number;
  /** MiB of the root volume. */
  readonly rootVolumeMib: number;
  /** `scratch`: all local disks as one array that holds pods and images, as nodeadm's `localStorage.strategy: RAID0` makes it. */
  readonly localDisks: "none" | "scratch";
}

/**
 * Millicores that the EKS images keep from pods: 6 % of the first core, 1 % of the second, 0.5 % of the next two and 0.25 % of
 * the rest. Source: nodeadm, `getCPUMillicoresToReserve` (https://github.com/awslabs/amazon-eks-ami, nodeadm/internal/kubelet/config.go).
 */
export function cpuReserved(vcpus: number): number {
  const steps = [
    { from: 0, to: 1, share: 0.06 },
    { from: 1, to: 2, share: 0.01 },
    { from: 2, to: 4, share: 0.005 },
    { from: 4, to: Number.POSITIVE_INFINITY, share: 0.0025 },
  ];
  const parts = steps.map(({ from, to, share }) =>
    // Whole millicores per step, as nodeadm counts; rounded first, since 0.0025 × 1000 is no exact number.
    Math.floor(Math.round(Math.max(0, Math.min(vcpus, to) - from) * 1000 * share * 100) / 100),
  );
  return parts.reduce((sum, part) => sum + part, 0);
}

/** nodeadm, `GetMemoryMebibytesToReserve`: 255 MiB and 11 MiB per pod. */
export const memoryReserved = (pods: number): number => 255 + 11 * pods;

/** The kubelet's hard eviction threshold of memory in nodeadm's configuration. */
const EVICTION_MEMORY = 100;

/** Share of the file system below which the kubelet evicts (`nodefs.available`). */
const EVICTION_DISK = 0.1;

/** nodeadm's kube-reserved ephemeral storage. */
const DISK_RESERVED = 1024;

/**
 * MiB of a root volume that are no file system: partitions and the journal. Published nodes lack 12 MiB on Amazon
 * Linux 2 and 76 MiB on Amazon Linux 2023, whatever the volume's size: test/unit/knowledge/published-nodes.ts.
 */
const ROOT_OVERHEAD = 80;

/** Share of a fresh XFS that is journal, 1/2048 by mkfs.xfs, doubled to be safe. Assumption: never measured by us. */
const ARRAY_OVERHEAD = 1 / 1024;

/**
 * MiB of the nominal memory that the node never reports: firmware, hypervisor, and the kernel with its page tables. Sold memory is all that
 * EC2's API tells, so this is a line above what others measured: Karpenter's own measurement of types up to 7g on Amazon Linux 2
 * (pkg/providers/instancetype/zz_generated.memory_overhead.go of github.com/aws/karpenter-provider-aws, commit 15e8769, 2023), four
 * published nodes of 2024 to 2026, and 1.7 to 5.3 % in a large fleet (https://github.com/pytorch/ci-infra/pull/910, July 2026). Karpenter
 * itself assumes 7.5 % of any size (https://github.com/aws/karpenter-provider-aws/issues/7929), which is too little for 2 GiB and
 * wastes 45 GiB of 1 TiB. Types of generation 8 were never measured: assumption.
 */
export const vmOverhead = (memory: number): number => Math.ceil(192 + 0.045 * memory);

function fileSystem(type: InstanceType, options: AllocatableOptions): number {
  if (options.localDisks === "none") return options.rootVolumeMib - ROOT_OVERHEAD;
  if (type.localDisks === undefined) {
    throw new UserError("instance-type-without-local-disks", `${type.name} has no local disks.`, {
      hint: `Take a type with local NVMe disks, such as ${type.family}d where there is one, or keep scratch on the root volume.`,
    });
  }
  const { count, sizeGb } = type.localDisks;
  return ((count * sizeGb * 1e9) / 2 ** 20) * (1 - ARRAY_OVERHEAD);
}

/**
 * What an EKS node of this type offers to pods after the reservations of Amazon Linux 2023's nodeadm: capacity minus kube-reserved minus
 * the hard eviction thresholds. An estimate that leans to the small side; the figures' sources stand beside them.
 *
 * The reserve of memory follows the larger of the type's own pod count and `maxPods`: nodeadm reserves for the former whatever the
 * kubelet is told later, other images (Bottlerocket) for the latter.
 *
 * @throws UserError where local disks are asked of a type without.
 */
export function eksAllocatable(type: InstanceType, options: AllocatableOptions): NodeAllocatable {
  const pods = Math.max(options.maxPods, maxPods(type, "addresses"));
  const disk = fileSystem(type, options);
  return {
    cpu: type.vcpus * 1000 - cpuReserved(type.vcpus),
    memory: Math.max(0, type.memory - vmOverhead(type.memory) - memoryReserved(pods) - EVICTION_MEMORY),
    scratch: Math.max(0, Math.floor(disk * (1 - EVICTION_DISK)) - DISK_RESERVED),
    pods: options.maxPods,
  };
}

/** MiB of root volume for that much scratch of pods, in whole GiB: the reverse of {@link eksAllocatable}. */
export function rootVolumeFor(scratchMib: number): number {
  const exact = (scratchMib + DISK_RESERVED + 1) / (1 - EVICTION_DISK) + ROOT_OVERHEAD;
  return Math.ceil(exact / 1024) * 1024;
}

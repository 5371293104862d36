/**
 * What real EKS nodes said of themselves (`kubectl describe node`, `kubectl get node -o yaml`), where others published it. Numbers only;
 * the index of public repositories, which holds the pages of the last four, does not tell their addresses.
 */
export interface PublishedNode {
  readonly type: string;
  readonly source: string;
  readonly maxPods: number;
  /** GiB of the root volume. */
  readonly rootVolume: number;
  /** Ki, where published. */
  readonly memoryCapacity?: number;
  /** As the node lists them: millicores, Ki, bytes. */
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorage?: number;
}

export const PUBLISHED_NODES: readonly PublishedNode[] = [
  {
    type: "c7i-flex.2xlarge",
    source: "article on the capacity of EKS nodes and pod density, 2025 (index id 32334008796)",
    maxPods: 58,
    rootVolume: 20,
    memoryCapacity: 16_080_312,
    cpu: 7910,
    memory: 15_063_480,
    ephemeralStorage: 18_242_267_924,
  },
  {
    type: "m7g.xlarge",
    source: "notes of a ClickHouse deployment on EKS 1.36, Amazon Linux 2023, 2026 (index id 68344734272)",
    maxPods: 58,
    rootVolume: 20,
    cpu: 3920,
    memory: 15_031_500,
  },
  {
    type: "m7gd.2xlarge",
    source: "the same notes; local disks not used for pods",
    maxPods: 58,
    rootVolume: 20,
    cpu: 7910,
    memory: 31_231_064,
  },
  {
    // 434 pods with prefix delegation, yet 29 pods' worth of memory is reserved: 434 would leave less than the node has.
    type: "m6i.large",
    source: "example of Cilium with prefix delegation on EKS (index id 46544821196)",
    maxPods: 434,
    rootVolume: 20,
    cpu: 1930,
    memory: 7_291_820,
    ephemeralStorage: 18_242_267_924,
  },
  {
    type: "i4i.32xlarge",
    source: "https://github.com/aws/karpenter-provider-aws/issues/6611 (1007423Mi allocatable)",
    maxPods: 737,
    rootVolume: 100,
    cpu: 127_610,
    memory: 1_007_423 * 1024,
  },
];

/**
 * Bytes between the memory that EC2 sells and what the node reports, as Karpenter's developers measured it on Amazon Linux 2 in 2023:
 * https://github.com/aws/karpenter-provider-aws, pkg/providers/instancetype/zz_generated.memory_overhead.go at commit 15e8769.
 */
export const MEASURED_OVERHEAD: Readonly<Record<string, number>> = {
  "c6g.medium": 218_644_480,
  "c7g.medium": 218_644_480,
  "c6i.large": 285_917_184,
  "c6a.large": 308_985_856,
  "c7g.large": 293_154_816,
  "c6gn.16xlarge": 4_778_635_264,
  "c6in.32xlarge": 8_715_804_672,
  "c6a.48xlarge": 15_140_585_472,
  "m6g.medium": 309_780_480,
  "m6i.large": 424_321_024,
  "m6a.large": 470_466_560,
  "m7g.large": 439_844_864,
  "m6i.xlarge": 703_729_664,
  "m6a.xlarge": 793_907_200,
  "m6g.xlarge": 802_529_280,
  "m6g.4xlarge": 2_773_532_672,
  "m7g.4xlarge": 2_509_815_808,
  "m6id.8xlarge": 4_514_795_520,
  "m6a.12xlarge": 7_807_037_440,
  "m6g.12xlarge": 7_931_666_432,
  "m6g.16xlarge": 10_460_397_568,
  "m6idn.32xlarge": 17_238_753_280,
  "m6a.48xlarge": 30_038_941_696,
  "r6g.medium": 391_589_888,
  "r6a.large": 793_432_064,
  "r6i.2xlarge": 2_378_240_000,
  "r7g.4xlarge": 4_772_933_632,
  "r6a.12xlarge": 15_258_316_800,
  "r7g.16xlarge": 18_458_005_504,
  "r6i.32xlarge": 34_284_670_976,
  "r6a.48xlarge": 59_844_067_328,
  "i4g.2xlarge": 2_113_294_336,
  "i4i.32xlarge": 34_284_675_072,
};

/** Ki of file system on root volumes, by GiB of volume: Amazon Linux 2 first, then Amazon Linux 2023 (index ids as above, and 20366106291). */
export const ROOT_FILE_SYSTEMS = [
  { volume: 20, capacity: 20_959_212 },
  { volume: 20, capacity: 20_893_676 },
] as const;

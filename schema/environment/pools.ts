import { z } from "zod";
import { Toleration } from "../contract.ts";
import { Cpu, Duration, dnsLabel, Labels, Memory } from "../primitives.ts";
import { KubernetesVersion, NodesPerZone } from "./cluster.ts";

/** CPU, memory, disk and pods. */
export const Room = {
  cpu: Cpu,
  memory: Memory,
  scratch: Memory.describe("Ephemeral storage."),
  pods: z.int().positive(),
};

export const Price = z.strictObject({
  amount: z.number().positive(),
  currency: z.string().length(3),
  asOf: z.iso.date(),
});

const Common = {
  name: dnsLabel(30),
  instanceTypes: z
    .array(z.string().min(1))
    .min(1)
    .describe("Of one shape (vCPUs and memory); more than one gives spot capacity more places to come from."),
  capacity: z.enum(["on-demand", "spot"]).default("on-demand"),
  state: z
    .enum(["active", "draining"])
    .default("active")
    .describe("draining: takes no new runs; those that are there end. The step before a pool is removed."),
  pricePerHour: Price.optional().describe("Price of one node, instead of the table's; for estimates."),
};

/** Taints that a pool's nodes carry beside the platform's own. */
const Taint = z.strictObject({
  key: z.string().min(1),
  value: z.string(),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]),
});

/** A pool of an EKS environment: one node group for each instance type and zone. */
export const EksPool = z.strictObject({
  ...Common,
  zones: z.array(z.string().min(1)).min(1).optional().describe("All zones of the cluster where left out."),
  nodesPerZone: NodesPerZone,
  kubernetesVersion: KubernetesVersion.optional().describe(
    "The cluster's where left out. Older by at most three minors, for the time of an upgrade.",
  ),
  labels: Labels.default({}).describe("Labels of its nodes beside the platform's own."),
  taints: z.array(Taint).default([]).describe("Taints of its nodes; runs tolerate them."),
  rootVolume: Memory.default("100Gi").describe("gp3, encrypted. Scratch too, where local disks aren't used."),
  localDisks: z
    .enum(["unused", "scratch"])
    .default("unused")
    .describe("scratch: the instance's NVMe disks as one RAID 0 under the pods' ephemeral storage."),
  lifetime: z
    .strictObject({
      idle: Duration.default("60s").describe("How long a node that nobody needs is kept."),
      unready: Duration.default("5m").describe("How long a node that does not answer is kept."),
    })
    .prefault({}),
});
export type EksPool = z.infer<typeof EksPool>;

const Allocatable = z
  .discriminatedUnion(
    "from",
    [
      z.strictObject({
        from: z.literal("config").describe("Known beforehand: for pools that scale from zero."),
        ...Room,
      }),
      z.strictObject({
        from: z.literal("node").describe("Read from a node that stands for the pool."),
        node: z.string().min(1).describe("Name of a node that exists."),
        reserve: z
          .strictObject({ cpu: Cpu.optional(), memory: Memory.optional(), pods: z.int().min(0).optional() })
          .prefault({})
          .describe("What the platform's own pods on each node need of it."),
      }),
    ],
    "from must be config or node",
  )
  .describe("What one node offers to runs.");

/** A pool of an existing cluster: nodes that somebody else makes. */
export const ExistingPool = z.strictObject({
  ...Common,
  zones: z.array(z.string().min(1)).min(1).describe("Availability zones that have nodes of this pool."),
  nodesPerZone: NodesPerZone,
  allocatable: Allocatable,
  nodes: z
    .array(z.string().min(1))
    .default([])
    .describe("Nodes to label with mayfly.dev/pool=<name>, where nobody else labels them."),
  nodeSelector: Labels.optional().describe("Labels of its nodes; mayfly.dev/pool=<name> where left out."),
  tolerations: z.array(Toleration).default([]).describe("For the taints of its nodes."),
});
export type ExistingPool = z.infer<typeof ExistingPool>;

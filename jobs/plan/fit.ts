import type { Allocatable, Pool, TenantQuota } from "../../schema/contract.ts";
import type { PlannedContainer } from "../../schema/plan.ts";
import { memoryLines } from "./memory.ts";

/** What one pod asks for. */
export interface PodSize {
  /** Millicores. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  /** MiB of the node's own disk. */
  readonly disk: number;
}

/** Containers of a pod; a sidecar (an init container that stays) counts in full, as the scheduler does. */
export const podSize = (containers: readonly PlannedContainer[]): PodSize => ({
  cpu: containers.reduce((sum, { cpu }) => sum + cpu, 0),
  memory: containers.reduce((sum, { memory }) => sum + memory, 0),
  disk: containers.reduce((sum, { disk }) => sum + disk, 0),
});

/** The pods of a run. */
export interface RunSize {
  readonly coordinator: PodSize;
  readonly worker: PodSize;
  readonly workers: number;
}

/** The whole run, in the terms of a quota; `scratch` is the disk of all pods. */
export const runTotal = (run: RunSize): TenantQuota => ({
  cpu: run.coordinator.cpu + run.worker.cpu * run.workers,
  memory: run.coordinator.memory + run.worker.memory * run.workers,
  scratch: run.coordinator.disk + run.worker.disk * run.workers,
  pods: 1 + run.workers,
});

const RESOURCES = [
  { key: "cpu", of: "cpu", unit: "m CPU" },
  { key: "memory", of: "memory", unit: "MiB memory" },
  { key: "disk", of: "scratch", unit: "MiB disk" },
] as const satisfies readonly { key: keyof PodSize; of: keyof Allocatable; unit: string }[];

/** How many pods of this size an empty node takes; `taken` is subtracted first. */
function capacity(pod: PodSize, node: Allocatable, taken?: PodSize): number {
  const counts = RESOURCES.map(({ key, of }) => Math.floor((node[of] - (taken?.[key] ?? 0)) / pod[key]));
  return Math.max(0, Math.min(node.pods - (taken === undefined ? 0 : 1), ...counts));
}

/** What of a pod is more than an empty node has, one line each; empty where it fits. */
export const shortages = (pod: PodSize, node: Allocatable): string[] =>
  RESOURCES.filter(({ key, of }) => pod[key] > node[of]).map(
    ({ key, of, unit }) =>
      `asks ${pod[key]} ${unit}, a node has ${node[of]}: ${pod[key] - node[of]} too much`,
  );

/**
 * Nodes for `workers` pods and, where given, the coordinator. Exact, since there are but two sizes of pod: the coordinator's
 * node is filled up with workers. Undefined where a pod does not fit an empty node.
 */
export function nodesNeeded(
  node: Allocatable,
  worker: PodSize,
  workers: number,
  coordinator?: PodSize,
): number | undefined {
  if (coordinator !== undefined && capacity(coordinator, node) < 1) return undefined;
  const perNode = capacity(worker, node);
  if (workers > 0 && perNode < 1) return undefined;
  const beside = coordinator === undefined ? 0 : capacity(worker, node, coordinator);
  const rest = Math.max(0, workers - beside);
  return (coordinator === undefined ? 0 : 1) + (rest === 0 ? 0 : Math.ceil(rest / perNode));
}

/** Sums that pass the tenant's quota, one line each; empty where the run fits. */
export function overQuota(run: RunSize, quota: TenantQuota): string[] {
  const total = runTotal(run);
  const rows = [
    { key: "cpu", unit: "m CPU", each: [run.coordinator.cpu, run.worker.cpu] },
    { key: "memory", unit: "MiB memory", each: [run.coordinator.memory, run.worker.memory] },
    { key: "scratch", unit: "MiB disk", each: [run.coordinator.disk, run.worker.disk] },
    { key: "pods", unit: "pods", each: [1, 1] },
  ] as const;
  return rows
    .filter(({ key }) => total[key] > quota[key])
    .map(
      ({ key, unit, each }) =>
        `  ${unit}: coordinator ${each[0]} + ${run.workers} workers × ${each[1]} = ${total[key]}, ` +
        `quota ${quota[key]}: ${total[key] - quota[key]} too much`,
    );
}

/** A pod's containers with their memory sums, for refusals. */
export const podLines = (containers: readonly PlannedContainer[]): string[] =>
  containers.flatMap(({ name, cpu, memory, memoryParts, disk }) => [
    `container ${name}: ${cpu}m CPU, ${memory} MiB memory, ${disk} MiB disk`,
    ...memoryLines(memoryParts),
  ]);

/** A pool's node in one line. */
export const poolLine = (pool: Pool): string =>
  `pool ${pool.name} (${pool.instanceType}, ${pool.capacity}): node ${pool.allocatable.cpu}m CPU, ` +
  `${pool.allocatable.memory} MiB memory, ${pool.allocatable.scratch} MiB disk, ${pool.allocatable.pods} pods; ` +
  `${pool.maxNodesPerZone} nodes in each of ${pool.zones.join(", ")}`;

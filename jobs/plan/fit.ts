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

/** The pods of a service beside a run, between the least and the most of them. */
export interface ServiceSize {
  readonly name: string;
  readonly pod: PodSize;
  readonly min: number;
  readonly max: number;
}

/** The pods of a run. */
export interface RunSize {
  readonly coordinator: PodSize;
  readonly worker: PodSize;
  readonly workers: number;
  readonly services: readonly ServiceSize[];
}

/** Pods of a run that are all alike. */
interface PodKind {
  readonly pod: PodSize;
  readonly count: number;
}

/** All pods but the coordinator's, with the most of each service. */
const podKinds = ({
  worker,
  workers,
  services,
}: Pick<RunSize, "worker" | "workers" | "services">): PodKind[] => [
  { pod: worker, count: workers },
  ...services.map(({ pod, max }) => ({ pod, count: max })),
];

/** The whole run with the most of its services, in the terms of a quota; `scratch` is the disk of all pods. */
export function runTotal(run: RunSize): TenantQuota {
  const kinds = [{ pod: run.coordinator, count: 1 }, ...podKinds(run)];
  const total = (key: keyof TenantQuota): number =>
    kinds.reduce((sum, { pod, count }) => sum + ofQuota(key, pod) * count, 0);
  return { cpu: total("cpu"), memory: total("memory"), scratch: total("scratch"), pods: total("pods") };
}

/** What one pod takes of a quota. */
const ofQuota = (key: keyof TenantQuota, pod: PodSize): number =>
  key === "pods" ? 1 : pod[key === "scratch" ? "disk" : key];

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

/**
 * Nodes for a whole run on one pool: the coordinator (where given), the workers and the most of each service, larger pods first, each
 * on the first node with room. A good packing, not always the best, and the scheduler's may be worse; without services it is
 * {@link nodesNeeded}. Undefined where a pod does not fit an empty node.
 */
export function nodesForAll(
  node: Allocatable,
  run: Pick<RunSize, "worker" | "workers" | "services">,
  coordinator?: PodSize,
): number | undefined {
  if (run.services.length === 0) return nodesNeeded(node, run.worker, run.workers, coordinator);
  const pods = [
    ...(coordinator === undefined ? [] : [{ pod: coordinator, count: 1 }]),
    ...podKinds(run),
  ].sort((left, right) => share(right.pod, node) - share(left.pod, node));
  const free: { cpu: number; memory: number; disk: number; pods: number }[] = [];
  for (const { pod, count } of pods) {
    if (capacity(pod, node) < 1) return undefined;
    for (let index = 0; index < count; index++) {
      const found = free.find(
        (left) => left.pods >= 1 && RESOURCES.every(({ key }) => left[key] >= pod[key]),
      ) ?? { cpu: node.cpu, memory: node.memory, disk: node.scratch, pods: node.pods };
      if (found.pods === node.pods) free.push(found);
      for (const { key } of RESOURCES) found[key] -= pod[key];
      found.pods--;
    }
  }
  return free.length;
}

const share = (pod: PodSize, node: Allocatable): number =>
  Math.max(...RESOURCES.map(({ key, of }) => pod[key] / node[of]));

/** Sums that pass the tenant's quota, one line each; empty where the run fits. */
export function overQuota(run: RunSize, quota: TenantQuota): string[] {
  const total = runTotal(run);
  const rows = [
    { key: "cpu", unit: "m CPU" },
    { key: "memory", unit: "MiB memory" },
    { key: "scratch", unit: "MiB disk" },
    { key: "pods", unit: "pods" },
  ] as const;
  return rows
    .filter(({ key }) => total[key] > quota[key])
    .map(
      ({ key, unit }) =>
        `  ${unit}: coordinator ${ofQuota(key, run.coordinator)} + ${run.workers} workers × ${ofQuota(key, run.worker)}` +
        run.services.map(({ name, pod, max }) => ` + ${max} ${name} × ${ofQuota(key, pod)}`).join("") +
        ` = ${total[key]}, quota ${quota[key]}: ${total[key] - quota[key]} too much`,
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

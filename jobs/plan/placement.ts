import { listNames } from "../../base/nearest.ts";
import type { EnvironmentContract, Pool } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Placement, PlannedContainer } from "../../schema/plan.ts";
import type { SpecWords } from "./engine.ts";
import {
  nodesForAll,
  nodesNeeded,
  type PodSize,
  podLines,
  poolLine,
  type RunSize,
  type ServiceSize,
  shortages,
} from "./fit.ts";
import { largerTypes } from "./larger.ts";
import { checkZone, findPool, findTenant } from "./lookup.ts";
import { stableNumber } from "./names.ts";
import { refuse } from "./refusal.ts";
import { servicesOf } from "./services.ts";

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#topologykubernetesiozone */
const ZONE_LABEL = "topology.kubernetes.io/zone";

/** Pools and zone of a run; both pools are the same unless workers run on spot capacity. */
export interface Place {
  readonly coordinator: Pool;
  readonly workers: Pool;
  readonly zone: string;
  /** What people should know about the choice. */
  readonly notes: readonly string[];
}

/** The pods to place, and their containers for the arithmetic of a refusal. */
export interface Pods {
  readonly size: RunSize;
  readonly coordinator: readonly PlannedContainer[];
  readonly worker: readonly PlannedContainer[];
  readonly words: SpecWords;
}

const smallestFirst = (left: Pool, right: Pool): number =>
  left.allocatable.memory - right.allocatable.memory ||
  left.allocatable.cpu - right.allocatable.cpu ||
  (left.name < right.name ? -1 : 1);

/** Pairs of pools to try, best first: spot for workers before on-demand where allowed, small nodes before large ones. */
function candidates(spec: JobSpec, contract: EnvironmentContract): { coordinator: Pool; workers: Pool }[] {
  const { pools: allowed } = findTenant(spec, contract);
  const pools = contract.pools.filter(({ name }) => allowed.includes(name)).sort(smallestFirst);
  const onDemand = pools.filter(({ capacity }) => capacity === "on-demand");
  const wanted = findPool(spec, contract);
  if (wanted !== undefined && !allowed.includes(wanted.name)) {
    refuse({
      code: "pool-not-allowed",
      message: `Tenant "${spec.tenant}" may not use pool "${wanted.name}".`,
      path: "placement.pool",
      hint: `It may use ${listNames(allowed)}; or leave placement.pool out.`,
    });
  }
  const spotAllowed = spec.serviceLevel.spot === "workers";
  if (wanted?.capacity === "spot" && !spotAllowed) {
    refuse({
      code: "spot-not-allowed",
      message: `Pool "${wanted.name}" is spot capacity, and the job does not allow that.`,
      path: "placement.pool",
      hint: "Set serviceLevel.spot to workers, or name an on-demand pool.",
    });
  }
  const workerPools =
    wanted === undefined
      ? [...(spotAllowed ? pools.filter(({ capacity }) => capacity === "spot") : []), ...onDemand]
      : [wanted];
  return workerPools.flatMap((workers) =>
    workers.capacity === "on-demand"
      ? [{ coordinator: workers, workers }]
      : onDemand.map((coordinator) => ({ coordinator, workers })),
  );
}

/** Zones in which both pools have enough nodes. */
function zonesThatFit(
  { coordinator, workers }: { coordinator: Pool; workers: Pool },
  { size }: Pods,
  wanted: string | undefined,
): string[] {
  const together = coordinator.name === workers.name;
  const forWorkers = nodesForAll(workers.allocatable, size, together ? size.coordinator : undefined);
  const forCoordinator = together
    ? 0
    : nodesNeeded(coordinator.allocatable, size.coordinator, 0, size.coordinator);
  if (forWorkers === undefined || forWorkers > workers.maxNodesPerZone) return [];
  if (forCoordinator === undefined || forCoordinator > coordinator.maxNodesPerZone) return [];
  return workers.zones
    .filter((zone) => coordinator.zones.includes(zone) && (wanted === undefined || zone === wanted))
    .sort();
}

const besides = (services: readonly ServiceSize[]): string =>
  services.map(({ name, max }) => `, at most ${max} of service ${name}`).join("");

/** Says for one pair of pools why the run does not fit: a pod too large, or too many nodes. */
function explain({ coordinator, workers }: { coordinator: Pool; workers: Pool }, { size }: Pods): string[] {
  const lines: string[] = [];
  const about = (who: string, pod: PodSize, pool: Pool): void => {
    for (const line of shortages(pod, pool.allocatable)) lines.push(`  ${who} pod ${line}`);
  };
  about("coordinator", size.coordinator, coordinator);
  about("worker", size.worker, workers);
  for (const { name, pod } of size.services) about(`service ${name}`, pod, workers);
  if (lines.length > 0) return lines;
  const together = coordinator.name === workers.name;
  const nodes = nodesForAll(workers.allocatable, size, together ? size.coordinator : undefined);
  if (nodes !== undefined && nodes > workers.maxNodesPerZone) {
    return [
      `  ${together ? "coordinator and " : ""}${size.workers} workers${besides(size.services)} fill ${nodes} nodes, ` +
        `a zone has ${workers.maxNodesPerZone}: ${nodes - workers.maxNodesPerZone} too many`,
    ];
  }
  return ["  not in the wanted zone"];
}

/** A pod of a service that is larger than any node. */
function refuseService(
  spec: JobSpec,
  { name, pod }: ServiceSize,
  pairs: readonly { coordinator: Pool; workers: Pool }[],
): never {
  const pools = [...new Map(pairs.map(({ workers }) => [workers.name, workers])).values()];
  const index = servicesOf(spec).findIndex((service) => service.name === name);
  refuse({
    code: "does-not-fit-node",
    message: `A pod of service "${name}" is larger than a node of any pool.`,
    arithmetic: pools.flatMap((pool) => [
      poolLine(pool),
      ...shortages(pod, pool.allocatable).map((line) => `  pod ${line}`),
    ]),
    path: `services.${index}`,
    hint: "Ask for less cpu or memory and more replicas.",
  });
}

function refuseAll(spec: JobSpec, pairs: readonly { coordinator: Pool; workers: Pool }[], pods: Pods): never {
  const [first] = pairs;
  if (first === undefined) {
    refuse({
      code: "no-on-demand-pool",
      message: "The environment has no on-demand pool, and a driver never runs on spot capacity.",
      path: "placement",
      hint: "Ask the environment's owner for an on-demand pool.",
    });
  }
  const zone = spec.placement.zone;
  if (zone !== undefined && pairs.some((pair) => zonesThatFit(pair, pods, undefined).length > 0)) {
    const zones = [...new Set(pairs.flatMap((pair) => zonesThatFit(pair, pods, undefined)))].sort();
    refuse({
      code: "zone-without-pool",
      message: `No pool that fits the job has nodes in zone "${zone}".`,
      path: "placement.zone",
      hint: `It fits in ${zones.join(", ")}; or leave placement.zone out.`,
    });
  }
  const every = (test: (pair: { coordinator: Pool; workers: Pool }) => boolean): boolean => pairs.every(test);
  const service = pods.size.services.find(({ pod }) =>
    every((pair) => shortages(pod, pair.workers.allocatable).length > 0),
  );
  if (service !== undefined) refuseService(spec, service, pairs);
  const coordinatorTooBig = every(
    (pair) => shortages(pods.size.coordinator, pair.coordinator.allocatable).length > 0,
  );
  const workerTooBig = every((pair) => shortages(pods.size.worker, pair.workers.allocatable).length > 0);
  const seen = new Set<string>();
  const perPool = pairs.flatMap((pair) => {
    const lines = [...explain(pair, pods)];
    const pools =
      pair.coordinator.name === pair.workers.name ? [pair.workers] : [pair.coordinator, pair.workers];
    return [...pools.filter(({ name }) => !seen.has(name) && seen.add(name)).map(poolLine), ...lines];
  });
  const arithmetic = [
    ...(coordinatorTooBig || !workerTooBig ? ["coordinator pod:", ...podLines(pods.coordinator)] : []),
    ...(workerTooBig || !coordinatorTooBig ? ["worker pod:", ...podLines(pods.worker)] : []),
    ...perPool,
  ];
  if (coordinatorTooBig || workerTooBig) {
    const who = workerTooBig ? "worker" : "coordinator";
    const asked = workerTooBig ? pods.words.workers : pods.words.coordinator;
    refuse({
      code: "does-not-fit-node",
      message: `The ${who} pod is larger than a node of ${pairs.length === 1 ? `pool "${first.workers.name}"` : "any pool"}.`,
      arithmetic,
      path: asked.path,
      hint:
        `Ask for less ${asked.fields}, or for a pool with larger nodes.` +
        largerTypes(
          workerTooBig ? pods.size.worker : pods.size.coordinator,
          pairs.flatMap(({ coordinator, workers }) => [coordinator, workers]),
        ),
    });
  }
  refuse({
    code: "does-not-fit-pool",
    message: `${pods.size.workers} workers and the coordinator${besides(pods.size.services)} do not fit one zone of ${pairs.length === 1 ? `pool "${first.workers.name}"` : "any pool"}.`,
    arithmetic,
    path: pods.words.workers.many,
    hint: `Ask for fewer or smaller workers${pods.size.services.length === 0 ? "" : ", for less replicas.max of services"}, or have the pool's maximum raised. A run never spans zones.`,
  });
}

/**
 * Chooses pools and zone: the requested ones, else the smallest nodes that fit, and a zone by the run's name, so that runs
 * spread evenly and a further attempt tries the next zone.
 */
export function choosePlace(
  spec: JobSpec,
  contract: EnvironmentContract,
  pods: Pods,
  identity: { readonly run: string; readonly attempt: number },
): Place {
  checkZone(spec, contract);
  const pairs = candidates(spec, contract);
  for (const pair of pairs) {
    const zones = zonesThatFit(pair, pods, spec.placement.zone);
    const zone = zones[(stableNumber(identity.run) + identity.attempt - 1) % Math.max(1, zones.length)];
    if (zone === undefined) continue;
    const notes =
      spec.serviceLevel.spot === "workers" && pair.workers.capacity !== "spot"
        ? [
            `Workers run on on-demand capacity (pool ${pair.workers.name}): no spot pool fits or was asked for.`,
          ]
        : [];
    return { ...pair, zone, notes };
  }
  return refuseAll(spec, pairs, pods);
}

/** What a pod needs to land in a pool's nodes of one zone. */
export const placementIn = (pool: Pool, zone: string): Placement => ({
  nodeSelector: { ...pool.nodeSelector, [ZONE_LABEL]: zone },
  tolerations: pool.tolerations,
});

import { POOL_LABEL } from "../../components/nodes/existing-pool.ts";
import { RUNS_TAINT, SPOT_TAINT } from "../../components/nodes/taints.ts";
import {
  eksAllocatable,
  type InstanceType,
  instanceType,
  maxPods,
  onDemandPrice,
} from "../../knowledge/aws/index.ts";
import type { Allocatable, Pool } from "../../schema/contract.ts";
import {
  type EksEnvironment,
  type EksPool,
  type EnvironmentConfig,
  type ExistingPool,
  isEks,
} from "../../schema/environment/index.ts";
import { parseMemory } from "../../schema/quantity.ts";
import { allocatableOf, type NodeAllocatable } from "./allocatable.ts";
import { daemonsOf } from "./daemons.ts";
import { checked } from "./quantities.ts";

/** The pools that take new runs, as plans see them. */
export function poolsOf(config: EnvironmentConfig, nodes: ReadonlyMap<string, NodeAllocatable>): Pool[] {
  return isEks(config)
    ? config.pools.filter(active).map((pool) => eksPool(pool, config))
    : config.pools.flatMap((pool, index) =>
        active(pool) ? [existingPool(pool, nodes, `mayfly:pools[${index}].allocatable`)] : [],
      );
}

const active = ({ state }: EksPool | ExistingPool): boolean => state === "active";

function existingPool(
  { instanceTypes, nodesPerZone, allocatable, nodeSelector, ...pool }: ExistingPool,
  nodes: ReadonlyMap<string, NodeAllocatable>,
  where: string,
): Pool {
  return {
    name: pool.name,
    instanceType: instanceTypes[0] ?? "",
    capacity: pool.capacity,
    zones: pool.zones,
    maxNodesPerZone: nodesPerZone.max,
    allocatable: allocatableOf(allocatable, nodes, where),
    nodeSelector: nodeSelector ?? { [POOL_LABEL]: pool.name },
    tolerations: pool.tolerations,
    pricePerHour: pool.pricePerHour,
  };
}

function eksPool(pool: EksPool, config: EksEnvironment): Pool {
  const first = pool.instanceTypes[0] ?? "";
  // A spot price moves; the on-demand price would be wrong by far, so without one in the config there is no estimate.
  const listed = pool.capacity === "spot" ? undefined : onDemandPrice(first, config.cluster.region);
  return {
    name: pool.name,
    instanceType: first,
    capacity: pool.capacity,
    zones: pool.zones ?? config.cluster.zones,
    maxNodesPerZone: pool.nodesPerZone.max,
    allocatable: offered(pool, config),
    nodeSelector: { [POOL_LABEL]: pool.name },
    tolerations: tolerationsFor(pool),
    pricePerHour: pool.pricePerHour ?? listed,
  };
}

/** What runs on a pool tolerate. Not its start-up taint, which is gone once the node is fit for them. */
const tolerationsFor = ({ capacity, taints }: EksPool): Pool["tolerations"] =>
  [RUNS_TAINT, ...(capacity === "spot" ? [SPOT_TAINT] : []), ...taints].flatMap(({ key, value, effect }) =>
    // Nobody needs to tolerate a mere preference.
    effect === "PreferNoSchedule" ? [] : [{ key, operator: "Equal" as const, value, effect }],
  );

/** Facts about a pool's instance types, which the config's rules have checked. */
export const typesOf = ({ instanceTypes }: Pick<EksPool, "instanceTypes">): InstanceType[] =>
  instanceTypes.flatMap((name) => instanceType(name) ?? []);

/** Pods that the kubelet of a pool's nodes takes at most. */
export const maxPodsOf = (pool: Pick<EksPool, "instanceTypes">): number =>
  Math.min(...typesOf(pool).map((type) => maxPods(type, "prefixes-apart")));

/** What one node of a pool offers to pods, the platform's own included: the least of its types. */
export function roomOf(pool: EksPool): Allocatable {
  const each = typesOf(pool).map((type) =>
    eksAllocatable(type, {
      maxPods: maxPodsOf(pool),
      rootVolumeMib: checked(parseMemory(pool.rootVolume)),
      localDisks: pool.localDisks === "scratch" ? "scratch" : "none",
    }),
  );
  const least = (of: (room: Allocatable) => number): number => Math.min(...each.map(of));
  return {
    cpu: least(({ cpu }) => cpu),
    memory: least(({ memory }) => memory),
    scratch: least(({ scratch }) => scratch),
    pods: least(({ pods }) => pods),
  };
}

/** What one node of a pool offers to runs. */
function offered(pool: EksPool, config: EksEnvironment): Allocatable {
  const room = roomOf(pool);
  const daemons = daemonsOf(config);
  return {
    cpu: room.cpu - daemons.cpu,
    memory: room.memory - daemons.memory,
    scratch: room.scratch,
    pods: room.pods - daemons.pods,
  };
}

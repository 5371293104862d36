import { POOL_LABEL, poolTolerations } from "../../components/nodes/pool-marks.ts";
import { eksAllocatable, maxPods } from "../../knowledge/aws/allocatable.ts";
import { instanceType } from "../../knowledge/aws/instances.ts";
import { onDemandPrice } from "../../knowledge/aws/prices.ts";
import type { Allocatable, Pool } from "../../schema/contract.ts";
import {
  type EksEnvironment,
  type EksPool,
  type EnvironmentConfig,
  type ExistingPool,
  isEks,
} from "../../schema/environment/index.ts";
import { parseMemory } from "../../schema/primitives.ts";
import { allocatableOf, type NodeAllocatable } from "./allocatable.ts";
import { checked } from "./contract.ts";
import { daemonsOf } from "./daemons.ts";

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
    tolerations: poolTolerations(pool),
    pricePerHour: pool.pricePerHour ?? listed,
  };
}

/** What one node of a pool offers to runs: the least of its types, without the platform's own pods. */
function offered(pool: EksPool, config: EksEnvironment): Allocatable {
  const daemons = daemonsOf(config);
  const each = pool.instanceTypes.flatMap((name) => {
    const type = instanceType(name);
    if (type === undefined) return [];
    const pods = maxPods(type, { prefixDelegation: true });
    return eksAllocatable(type, {
      maxPods: pods,
      rootVolumeMib: checked(parseMemory(pool.rootVolume)),
      localDisks: pool.localDisks === "scratch" ? "scratch" : "none",
    });
  });
  const least = (of: (room: Allocatable) => number): number => Math.min(...each.map(of));
  return {
    cpu: least(({ cpu }) => cpu) - daemons.cpu,
    memory: least(({ memory }) => memory) - daemons.memory,
    scratch: least(({ scratch }) => scratch),
    pods: least(({ pods }) => pods) - daemons.pods,
  };
}

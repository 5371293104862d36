import { eksAllocatable, instanceType, rootVolumeFor, smallestTypes } from "../../knowledge/aws/index.ts";
import type { Pool } from "../../schema/contract.ts";
import type { PodSize } from "./fit.ts";

/** What the platform's daemons take of a node: what EKS leaves of the pool's type, less what the pool offers to runs. */
function daemonsOf(pool: Pool): { readonly cpu: number; readonly memory: number } {
  const type = instanceType(pool.instanceType);
  if (type === undefined) return { cpu: 0, memory: 0 };
  const node = eksAllocatable(type, {
    maxPods: pool.allocatable.pods,
    rootVolumeMib: rootVolumeFor(pool.allocatable.scratch),
    localDisks: "none",
  });
  return {
    cpu: Math.max(0, node.cpu - pool.allocatable.cpu),
    memory: Math.max(0, node.memory - pool.allocatable.memory),
  };
}

/**
 * A sentence that names instance types whose nodes would hold the pod, for the tenant to ask the platform engineer for; empty where no
 * pool is of an AWS instance type (a lab) and where no known type is large enough.
 */
export function largerTypes(pod: PodSize, pools: readonly Pool[]): string {
  const known = pools.flatMap((pool) => instanceType(pool.instanceType) ?? []);
  if (known.length === 0) return "";
  const daemons = pools.map(daemonsOf);
  const need = {
    cpu: pod.cpu + Math.max(...daemons.map(({ cpu }) => cpu)),
    memory: pod.memory + Math.max(...daemons.map(({ memory }) => memory)),
    scratch: pod.disk,
  };
  const types = smallestTypes(need, new Set(known.map(({ family }) => family)));
  const [first] = types;
  if (first === undefined) return "";
  const names = types.map(({ type }) => `${type.name} (${type.architecture})`);
  const last = names.pop() ?? "";
  const list = names.length === 0 ? last : `${names.join(", ")} or ${last}`;
  // The size of a root volume is the pool's own: worth a word only where the disk of no pool is large enough.
  const volume = pools.some(({ allocatable }) => allocatable.scratch >= pod.disk)
    ? ""
    : `, with at least ${first.rootVolumeGib} GiB of root volume`;
  return ` It would fit a node of ${list}${volume}.`;
}

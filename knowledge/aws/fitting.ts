import { eksAllocatable, rootVolumeFor } from "./allocatable.ts";
import { INSTANCE_TYPES, type InstanceType } from "./instances.ts";
import { maxPods } from "./pods.ts";
import { onDemandPrice } from "./prices.ts";

/** What one pod, with all that must stand beside it on a node, asks for. */
export interface NodeNeed {
  /** Millicores. */
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
  /** MiB of ephemeral storage. */
  readonly scratch: number;
}

/** A type that would hold the pod, with the root volume it would need. */
export interface FittingType {
  readonly type: InstanceType;
  /** GiB, given that scratch lies on the root volume. */
  readonly rootVolumeGib: number;
}

/** Classes without their variants for networks, disks and bursts: what one asks for when only size matters. */
const PLAIN = /^[mcr]\d(?:i|a|g)$/;

/** Price order: us-east-1 has a price for each type, and regions differ far less than types do. */
const dollars = ({ name }: InstanceType): number =>
  onDemandPrice(name, "us-east-1")?.amount ?? Number.POSITIVE_INFINITY;

/**
 * The smallest types that would hold a pod, cheapest first: one per architecture and class (m, c, r), at most `limit`, and both
 * architectures as long as `limit` allows. Families named in `prefer` win over others of their class; otherwise the newest.
 */
export function smallestTypes(need: NodeNeed, prefer: ReadonlySet<string>, limit = 3): FittingType[] {
  const rootVolumeMib = rootVolumeFor(need.scratch);
  const fits = INSTANCE_TYPES.filter((type) => {
    if (!PLAIN.test(type.family) && !prefer.has(type.family)) return false;
    const pods = maxPods(type, "prefixes-apart");
    const { cpu, memory } = eksAllocatable(type, { maxPods: pods, rootVolumeMib, localDisks: "none" });
    return cpu >= need.cpu && memory >= need.memory;
  });
  const better = (left: InstanceType, right: InstanceType): boolean => {
    if (left.vcpus !== right.vcpus) return left.vcpus < right.vcpus;
    if (prefer.has(left.family) !== prefer.has(right.family)) return prefer.has(left.family);
    if (left.generation !== right.generation) return left.generation > right.generation;
    return dollars(left) < dollars(right);
  };
  const best = new Map<string, InstanceType>();
  for (const type of fits) {
    const kind = `${type.architecture} ${type.family.slice(0, 1)}`;
    const known = best.get(kind);
    if (known === undefined || better(type, known)) best.set(kind, type);
  }
  const cheapest = [...best.values()].sort((left, right) => dollars(left) - dollars(right));
  const ofEach = (["arm64", "x86_64"] as const).flatMap(
    (architecture) => cheapest.find((type) => type.architecture === architecture) ?? [],
  );
  return [...new Set([...ofEach, ...cheapest])]
    .slice(0, limit)
    .sort((left, right) => dollars(left) - dollars(right))
    .map((type) => ({ type, rootVolumeGib: rootVolumeMib / 1024 }));
}

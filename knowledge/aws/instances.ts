import { nearest } from "../../base/nearest.ts";
import { FAMILIES, type Family } from "./families.ts";
import { INTERFACES, NETWORK } from "./network.ts";

/** The facts about one EC2 instance type that Mayfly plans with. */
export interface InstanceType {
  /** Such as `m7g.4xlarge`. */
  readonly name: string;
  /** Such as `m7g`. */
  readonly family: string;
  readonly generation: number;
  /** Such as `4xlarge`. */
  readonly size: string;
  readonly architecture: "x86_64" | "arm64";
  readonly vcpus: number;
  /** MiB as EC2 sells them; the guest sees less (allocatable.ts). */
  readonly memory: number;
  /** Gbit/s of the default network card: what it always has, and what it may reach for a while. */
  readonly network: { readonly baselineGbps: number; readonly burstGbps: number };
  /** Local NVMe disks, all of one size; GB are 10^9 bytes. */
  readonly localDisks: { readonly count: number; readonly sizeGb: number } | undefined;
  /** Network interfaces of the default card. */
  readonly enis: number;
  /** IPv4 addresses on each interface. */
  readonly addressesPerEni: number;
}

/** GiB per vCPU: one rule per class; none of the 740 types in EC2's answer breaks it. */
const GIB_PER_VCPU: Readonly<Record<string, number>> = { m: 4, c: 2, r: 8, i: 8 };

/** vCPUs by size: every family of these classes keeps to it. */
function vcpusOf(size: string): number {
  if (size === "medium") return 1;
  if (size === "large") return 2;
  return 4 * Number(size.slice(0, -"xlarge".length) || "1");
}

/** The two numbers of `2x1900` or `0.781/12.5`. */
function pair(text: string | undefined, separator: string): readonly [number, number] {
  const [left, right] = (text ?? "").split(separator).map(Number);
  if (left === undefined || right === undefined || Number.isNaN(left + right)) {
    throw new Error(`malformed entry in knowledge/aws: ${text ?? "none"}`);
  }
  return [left, right];
}

/** `large 3x10, xlarge 4x15` as pairs of size and value. */
const entries = (row: string): (readonly [string, string | undefined])[] =>
  row.split(", ").map((entry) => {
    const [size = "", value] = entry.split(" ");
    return [size, value];
  });

function expand(family: string, { architecture, network, interfaces, disks }: Family): InstanceType[] {
  const [letter = "", generation = ""] = family;
  const enis = new Map(entries(INTERFACES[interfaces]));
  const local = disks?.split(" ");
  return entries(NETWORK[network]).map(([size, gbps], index) => {
    const vcpus = vcpusOf(size);
    const [baselineGbps, burstGbps] = pair(gbps, "/");
    const [count, addressesPerEni] = pair(enis.get(size), "x");
    const [diskCount, sizeGb] = local === undefined ? [0, 0] : pair(local[index], "x");
    return {
      name: `${family}.${size}`,
      family,
      generation: Number(generation),
      size,
      architecture,
      vcpus,
      memory: vcpus * (GIB_PER_VCPU[letter] ?? Number.NaN) * 1024,
      network: { baselineGbps, burstGbps },
      localDisks: diskCount === 0 ? undefined : { count: diskCount, sizeGb },
      enis: count,
      addressesPerEni,
    };
  });
}

/** Every known instance type, families together, small sizes first. */
export const INSTANCE_TYPES: readonly InstanceType[] = Object.entries(FAMILIES).flatMap(([family, facts]) =>
  expand(family, facts),
);

const BY_NAME = new Map(INSTANCE_TYPES.map((type) => [type.name, type]));

/** The type of that name; undefined where Mayfly knows nothing of it, which does not mean that EC2 has no such type. */
export const instanceType = (name: string): InstanceType | undefined => BY_NAME.get(name);

/**
 * What to say of a type that is not known: the nearest name, and the sizes of its family where the family is known. Never the
 * whole list.
 */
export function suggestInstanceTypes(name: string): string {
  const [family = "", size] = name.toLowerCase().split(".");
  const families = Object.keys(FAMILIES);
  // A neighbour of the same class and generation is what was meant rather than one of another.
  const relatives = families.filter((name) => name.slice(0, 2) === family.slice(0, 2));
  const known = Object.hasOwn(FAMILIES, family)
    ? family
    : (nearest(family, relatives) ?? nearest(family, families));
  if (known === undefined) {
    return `Known are families m, c, r and i of generations 6 to 8, such as ${families.slice(0, 3).join(", ")}; see \`mayfly instances\`.`;
  }
  const sizes = INSTANCE_TYPES.filter((type) => type.family === known).map((type) => type.size);
  const near = size === undefined || size === "" ? undefined : nearest(size, sizes);
  const question = near === undefined ? "" : `Did you mean "${known}.${near}"? `;
  return `${question}Known sizes of ${known}: ${sizes.join(", ")}.`;
}

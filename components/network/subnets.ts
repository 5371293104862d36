import { Address4 } from "ip-address";

/** What {@link planSubnets} works with. */
export interface SubnetsInput {
  /** The VPC's own range. */
  readonly vpcCidr: string;
  /** The VPC's second range, for pods only. */
  readonly podCidr: string;
  /** Availability zones, such as `eu-central-1a`; their order does not matter. */
  readonly zones: readonly string[];
}

/** The subnets of one zone, as CIDRs. */
export interface ZoneSubnets {
  readonly zone: string;
  /** NAT gateway, load balancers and interface endpoints. */
  readonly public: string;
  /** Nodes and the control plane's network interfaces. */
  readonly nodes: string;
  /** Pods. */
  readonly pods: string;
  /** The half of `pods` that is kept for whole /28 prefixes, so that single addresses do not fragment it. */
  readonly podPrefixes: string;
}

/** Why there is no plan: which of the inputs, and the arithmetic. */
export interface SubnetsProblem {
  readonly input: keyof SubnetsInput;
  readonly message: string;
  readonly hint: string;
}

/** The plan, its zones by letter, or why there is none. */
export type SubnetsPlan =
  | { readonly ok: true; readonly zones: readonly ZoneSubnets[] }
  | { readonly ok: false; readonly problem: SubnetsProblem };

/** AWS takes /16 to /28; below /20 the nodes of a zone would be fewer than about 250. */
const VPC_PREFIX = { largest: 16, smallest: 20 } as const;
/** 64 addresses, of which AWS keeps 5: a NAT gateway, eight endpoints, and the 8 free addresses that each load balancer wants. */
const PUBLIC_PREFIX = 26;
/** 1024 addresses: 32 reserved prefixes of /28, which is about four nodes with 110 pods each. */
const SMALLEST_PODS_PREFIX = 22;

/**
 * Cuts both ranges into equal parts, one for each zone letter (`a` is the first), so that a zone's subnets stay what they
 * are when a zone is added, removed or moved in the list: a subnet whose CIDR changes is replaced, with all nodes in it.
 * There are four parts, or eight where a zone beyond `d` is used; going from four to eight is the one change that moves
 * subnets.
 *
 * In a zone's part of the VPC the upper half is for nodes and the lower half begins with the public subnet; the rest is
 * spare. A zone's part of the pod range is one subnet.
 *
 * Limits: VPC and secondary ranges are /16 to /28 and may not mix private ranges
 * (https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html).
 */
export function planSubnets(input: SubnetsInput): SubnetsPlan {
  const vpc = parse(input.vpcCidr);
  const pods = parse(input.podCidr);
  if (vpc === undefined) return refuse("vpcCidr", ...notACidr(input.vpcCidr));
  if (pods === undefined) return refuse("podCidr", ...notACidr(input.podCidr));

  const slots = zoneSlots(input.zones);
  if (typeof slots === "string") {
    return refuse("zones", slots, "Name zones as AWS does: eu-central-1a, eu-central-1b.");
  }
  const parts = Math.max(...slots.values()) < 4 ? 4 : 8;
  const bits = Math.log2(parts);

  const { largest, smallest } = VPC_PREFIX;
  if (vpc.subnetMask < largest || vpc.subnetMask > smallest) {
    return refuse(
      "vpcCidr",
      `${input.vpcCidr} has ${size(vpc.subnetMask)} addresses; the VPC must be a /${largest} to /${smallest}` +
        (vpc.subnetMask > smallest
          ? `: in ${parts} parts, one for each zone letter, it leaves ${size(vpc.subnetMask + bits + 1)} for the nodes of a zone, and ${size(smallest + bits + 1)} is the least`
          : ", which is the most that AWS allows"),
      "Take a range such as 10.0.0.0/16.",
    );
  }
  const podsPrefix = pods.subnetMask + bits;
  if (pods.subnetMask < largest || podsPrefix > SMALLEST_PODS_PREFIX) {
    return refuse(
      "podCidr",
      pods.subnetMask < largest
        ? `${input.podCidr} is larger than /${largest}, which is the most that AWS allows`
        : `${input.podCidr} has ${size(pods.subnetMask)} addresses: in ${parts} parts, one for each zone letter, it leaves ${size(podsPrefix)} for the pods of a zone, and ${size(SMALLEST_PODS_PREFIX)} is the least`,
      `Take a range between /${largest} and /${SMALLEST_PODS_PREFIX - bits}, such as 100.64.0.0/16.`,
    );
  }
  if (overlap(vpc, pods)) {
    return refuse("podCidr", `${input.podCidr} overlaps the VPC's ${input.vpcCidr}`, "Take 100.64.0.0/16.");
  }
  if (!within(pods, SHARED) && privateRange(pods) !== privateRange(vpc)) {
    return refuse(
      "podCidr",
      `AWS does not let ${input.podCidr} join a VPC with ${input.vpcCidr}: they are of different private ranges`,
      "Take a range of 100.64.0.0/10, such as 100.64.0.0/16, which goes with every VPC.",
    );
  }
  return {
    ok: true,
    zones: [...slots].sort(bySlot).map(([zone, slot]) => {
      const part = vpc.subnetMask + bits;
      const publicPerPart = 2 ** (PUBLIC_PREFIX - part);
      return {
        zone,
        public: nth(vpc, PUBLIC_PREFIX, slot * publicPerPart),
        nodes: nth(vpc, part + 1, slot * 2 + 1),
        pods: nth(pods, podsPrefix, slot),
        podPrefixes: nth(pods, podsPrefix + 1, slot * 2 + 1),
      };
    }),
  };
}

const bySlot = ([, one]: readonly [string, number], [, other]: readonly [string, number]): number =>
  one - other;

const refuse = (input: keyof SubnetsInput, message: string, hint: string): SubnetsPlan => ({
  ok: false,
  problem: { input, message, hint },
});

/** Undefined where the text is no CIDR, or not the first address of its range. */
function parse(cidr: string): Address4 | undefined {
  if (!/^[\d.]+\/\d+$/.test(cidr) || !Address4.isValid(cidr)) return undefined;
  const address = new Address4(cidr);
  return address.startAddress().address === address.addressMinusSuffix ? address : undefined;
}

function notACidr(text: string): [message: string, hint: string] {
  const start = Address4.isValid(text) ? new Address4(text).startAddress().address : undefined;
  const suffix = /\/\d+$/.exec(text)?.[0];
  return start === undefined || suffix === undefined
    ? [`${text} is no IPv4 range`, "Write it as 10.0.0.0/16."]
    : [`${text} does not begin at the first address of its range`, `Write ${start}${suffix}.`];
}

/** The part of the ranges that each zone gets: by its letter. A text says why there is none. */
function zoneSlots(zones: readonly string[]): ReadonlyMap<string, number> | string {
  const slots = new Map<string, number>();
  for (const zone of zones) {
    const slot = /\d[a-h]$/.test(zone) ? zone.charCodeAt(zone.length - 1) - "a".charCodeAt(0) : undefined;
    if (slot === undefined) return `${zone} does not end in a number and a letter from a to h`;
    if (slots.has(zone)) return `${zone} is named twice`;
    if ([...slots.values()].includes(slot)) return `two zones end in the letter of ${zone}`;
    slots.set(zone, slot);
  }
  return slots.size === 0 ? "there are no zones" : slots;
}

const size = (prefix: number): number => 2 ** (32 - prefix);

/** The `index`-th subnet of length `prefix` in a range. */
function nth(range: Address4, prefix: number, index: number): string {
  const start = range.startAddress().bigInt() + BigInt(index) * BigInt(size(prefix));
  return `${Address4.fromBigInt(start).address}/${prefix}`;
}

/** First and last address. */
const bounds = (range: Address4): [bigint, bigint] => [
  range.startAddress().bigInt(),
  range.endAddress().bigInt(),
];

function overlap(one: Address4, other: Address4): boolean {
  const [from, to] = bounds(one);
  const [otherFrom, otherTo] = bounds(other);
  return from <= otherTo && otherFrom <= to;
}

function within(inner: Address4, outer: Address4): boolean {
  const [from, to] = bounds(inner);
  const [outerFrom, outerTo] = bounds(outer);
  return outerFrom <= from && to <= outerTo;
}

/** Shared address space (RFC 6598); AWS lets it join any VPC. */
const SHARED = new Address4("100.64.0.0/10");
const PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((cidr) => new Address4(cidr));
const privateRange = (cidr: Address4): string | undefined =>
  PRIVATE.find((range) => within(cidr, range))?.address;

import { onDemandPrice, type ServicePrices, servicePrices } from "../knowledge/aws/index.ts";
import { type EnvironmentConfig, isEks } from "../schema/environment/index.ts";
import { parseMemory } from "../schema/quantity.ts";
import type { FixedParts } from "./fixed-parts.ts";
import { type CostEstimate, type CostLine, type CostReview, HOURS_PER_MONTH, type Money } from "./types.ts";
import { formatHourly, formatMoney, plural } from "./words.ts";

/** What no estimate here holds; said wherever one is shown. */
export const NOT_COUNTED =
  "traffic, logs, buckets, images, volumes of jobs, discounts and taxes (they depend on use or on your contract)";

/** One side of a comparison. */
export interface CostInput {
  readonly config: EnvironmentConfig;
  readonly parts: FixedParts;
}

/** What a month costs at least (every pool at its minimum) and at most (every pool at its maximum, all the time). Pure. */
export function estimate({ config, parts }: CostInput): CostEstimate {
  const lines = isEks(config) ? [...poolLines(config), ...fixedLines(config.cluster.region, parts)] : [];
  const dates = lines.flatMap(({ dates: own }) => own);
  return {
    lines: lines.map(({ dates: _dates, ...line }) => line),
    totals: totalsOf(lines),
    unknown: lines.filter(({ money }) => money === undefined).map(({ part, name }) => nameOf(part, name)),
    asOf: [...new Set(dates)].sort(),
  };
}

/** Both sides and their difference. Pure. */
export function compareCosts(
  now: CostInput,
  before: CostInput | { readonly unknown: string } | undefined,
): CostReview {
  const after = estimate(now);
  if (before === undefined || "unknown" in before) {
    return { now: after, before: undefined, change: undefined, beforeUnknown: before?.unknown };
  }
  const earlier = estimate(before);
  const currencies = new Set([...after.totals, ...earlier.totals].map(({ currency }) => currency));
  const of = (totals: readonly Money[], currency: string): Money =>
    totals.find((total) => total.currency === currency) ?? { currency, floor: 0, ceiling: 0 };
  const change = [...currencies].map((currency) => {
    const [left, right] = [of(after.totals, currency), of(earlier.totals, currency)];
    return { currency, floor: left.floor - right.floor, ceiling: left.ceiling - right.ceiling };
  });
  return { now: after, before: earlier, change, beforeUnknown: undefined };
}

type Line = CostLine & { readonly dates: readonly string[] };

const nameOf = (part: CostLine["part"], name: string): string => (part === "pool" ? `pool ${name}` : name);

function totalsOf(lines: readonly CostLine[]): Money[] {
  const totals = new Map<string, Money>();
  for (const { money } of lines) {
    if (money === undefined) continue;
    const before = totals.get(money.currency) ?? { currency: money.currency, floor: 0, ceiling: 0 };
    totals.set(money.currency, {
      currency: money.currency,
      floor: before.floor + money.floor,
      ceiling: before.ceiling + money.ceiling,
    });
  }
  return [...totals.values()];
}

/** What all kinds of pool have in common here. */
interface PoolShape {
  readonly part: "pool" | "system pool";
  readonly name: string;
  readonly instanceTypes: readonly string[];
  readonly spot: boolean;
  readonly zones: number;
  readonly nodesPerZone: { readonly min: number; readonly max: number };
  readonly rootVolume: string;
  readonly pricePerHour:
    | { readonly amount: number; readonly currency: string; readonly asOf: string }
    | undefined;
}

function poolLines(config: Extract<EnvironmentConfig, { cluster: { kind: "eks" } }>): Line[] {
  const { cluster, pools } = config;
  const system: PoolShape = {
    part: "system pool",
    name: "system",
    instanceTypes: [cluster.systemPool.instanceType],
    spot: false,
    zones: cluster.zones.length,
    nodesPerZone: cluster.systemPool.nodesPerZone,
    rootVolume: cluster.systemPool.rootVolume,
    pricePerHour: undefined,
  };
  const others = pools.map(
    (pool): PoolShape => ({
      part: "pool",
      name: pool.name,
      instanceTypes: pool.instanceTypes,
      spot: pool.capacity === "spot",
      zones: (pool.zones ?? cluster.zones).length,
      nodesPerZone: pool.nodesPerZone,
      rootVolume: pool.rootVolume,
      pricePerHour: pool.pricePerHour,
    }),
  );
  return [system, ...others].map((pool) => poolLine(pool, cluster.region));
}

function poolLine(pool: PoolShape, region: string): Line {
  const { min, max } = pool.nodesPerZone;
  // A node group for each zone, whose nodes are of any of the types.
  const [least, most] = [min * pool.zones, max * pool.zones];
  const types = pool.instanceTypes.join(" or ");
  const nodes = `${plural(pool.zones, "zone")} × ${min === max ? `${min}` : `${min} to ${max}`}`;
  const what = `${nodes}, ${types}${pool.spot ? " spot" : ""}`;
  const price = hourly(pool, region);
  if ("unknown" in price) {
    return {
      part: pool.part,
      name: pool.name,
      how: what,
      money: undefined,
      notes: [price.unknown],
      dates: [],
    };
  }
  const volume = rootVolumeMonth(pool.rootVolume, region, price.currency);
  const perNode = (hour: number): number => hour * HOURS_PER_MONTH + volume.amount;
  const range =
    price.low === price.high || price.floorIsZero
      ? formatHourly(price.high, price.currency)
      : `${formatHourly(price.low, price.currency)} to ${formatHourly(price.high, price.currency)}`;
  return {
    part: pool.part,
    name: pool.name,
    how: `${what} at ${price.floorIsZero ? "up to " : ""}${range} an hour${volume.how}`,
    money: {
      currency: price.currency,
      floor: price.floorIsZero ? 0 : least * perNode(price.low),
      ceiling: most * perNode(price.high),
    },
    notes: [...price.notes, ...volume.notes],
    dates: [price.asOf, ...volume.dates],
  };
}

interface Hourly {
  readonly low: number;
  readonly high: number;
  /** Whether even a node that runs may cost next to nothing. */
  readonly floorIsZero: boolean;
  readonly currency: string;
  readonly asOf: string;
  readonly notes: readonly string[];
}

/** Price of one node of a pool for one hour. */
function hourly(pool: PoolShape, region: string): Hourly | { readonly unknown: string } {
  if (pool.pricePerHour !== undefined) {
    const { amount, currency, asOf } = pool.pricePerHour;
    return {
      low: amount,
      high: amount,
      floorIsZero: false,
      currency,
      asOf,
      notes: ["price from the config"],
    };
  }
  const prices = pool.instanceTypes.map((type) => ({ type, price: onDemandPrice(type, region) }));
  const missing = prices.filter(({ price }) => price === undefined).map(({ type }) => type);
  const known = prices.flatMap(({ price }) => price ?? []);
  const first = known[0];
  if (missing.length > 0 || first === undefined) {
    return { unknown: `no price is known of ${missing.join(", ")} in ${region}; set pricePerHour` };
  }
  const amounts = known.map(({ amount }) => amount);
  return {
    low: Math.min(...amounts),
    high: Math.max(...amounts),
    floorIsZero: pool.spot,
    currency: first.currency,
    asOf: known.map(({ asOf }) => asOf).sort()[0] ?? first.asOf,
    notes: [],
  };
}

interface VolumeMonth {
  /** Of one node's root volume for a month; 0 where it is not known. */
  readonly amount: number;
  readonly how: string;
  readonly notes: readonly string[];
  readonly dates: readonly string[];
}

function rootVolumeMonth(size: string, region: string, currency: string): VolumeMonth {
  const services = servicePrices(region);
  // EBS volumes have whole GiB.
  const gib = Math.ceil((parseMemory(size) ?? 0) / 1024);
  const price = services?.gp3GbMonth;
  if (services === undefined || price === undefined) {
    return {
      amount: 0,
      how: "",
      notes: [`without root volumes: no price of gp3 is known in ${region}`],
      dates: [],
    };
  }
  if (services.currency !== currency) {
    return {
      amount: 0,
      how: "",
      notes: [`without root volumes: they are priced in ${services.currency}`],
      dates: [],
    };
  }
  return {
    amount: gib * price,
    how: `, ${gib} GiB gp3 each`,
    notes: [],
    dates: [services.asOf],
  };
}

/** What runs whether or not any pool has nodes. */
function fixedLines(region: string, parts: FixedParts): Line[] {
  const services = servicePrices(region);
  const lines: Line[] = [];
  const add = (name: string, count: number, price: (of: ServicePrices) => FixedPrice | undefined): void => {
    if (count === 0) return;
    const known = services === undefined ? undefined : price(services);
    lines.push(
      services === undefined || known === undefined
        ? {
            part: "fixed",
            name,
            how: `${count}`,
            money: undefined,
            notes: [`no price is known in ${region}`],
            dates: [],
          }
        : {
            part: "fixed",
            name,
            how: `${count} at ${known.how}`,
            money: {
              currency: services.currency,
              floor: count * known.month,
              ceiling: count * (known.most ?? known.month),
            },
            notes: known.notes ?? [],
            dates: [services.asOf],
          },
    );
  };
  const hour = (amount: number | undefined): FixedPrice | undefined =>
    amount === undefined
      ? undefined
      : { month: amount * HOURS_PER_MONTH, how: `${formatHourly(amount, "USD")} an hour` };
  add("control plane", parts.controlPlanes, ({ eksHour }) => ({
    month: eksHour.standard * HOURS_PER_MONTH,
    how: `${formatHourly(eksHour.standard, "USD")} an hour`,
    notes: [`${formatHourly(eksHour.extended, "USD")} an hour once its version is in extended support`],
  }));
  add("NAT gateways", parts.natGateways, ({ natGatewayHour }) => hour(natGatewayHour));
  add("interface endpoints", parts.interfaceEndpoints, ({ interfaceEndpointHour }) =>
    hour(interfaceEndpointHour),
  );
  add("KMS keys", parts.kmsKeys, ({ kmsKeyMonth }) => ({
    month: kmsKeyMonth,
    most: kmsKeyMonth * 3,
    how: `${formatMoney(kmsKeyMonth, "USD")} a month`,
    notes: ["each of the first two yearly rotations adds as much again"],
  }));
  add("public IPv4 addresses", parts.elasticIps, ({ publicIpv4Hour }) => hour(publicIpv4Hour));
  return lines;
}

interface FixedPrice {
  readonly month: number;
  readonly most?: number;
  readonly how: string;
  readonly notes?: readonly string[];
}

import { instanceType } from "./instances.ts";
import { VCPU_HOUR } from "./price-table.ts";

/** An amount of money with the day its list was read. Estimates only: no discount, saving plan or tax is known here. */
export interface Price {
  readonly amount: number;
  readonly currency: "USD";
  /** ISO date. */
  readonly asOf: string;
}

/** When the list of a region was read; price-table.ts names the lists. */
const asOf = (region: string): string => (region === "us-east-1" ? "2026-07-20" : "2025-05-28");

const perFamily = (row: string): ReadonlyMap<string, number> =>
  new Map(
    row
      .trim()
      .split(/,\s+/)
      .map((entry): [string, number] => {
        const [family = "", amount] = entry.split(" ");
        return [family, Number(amount)];
      }),
  );

const TABLE = new Map(Object.entries(VCPU_HOUR).map(([region, row]) => [region, perFamily(row)]));

/** Regions of which on-demand prices are known. */
export const PRICED_REGIONS: readonly string[] = [...TABLE.keys()];

/** Price of one node for one hour, Linux on demand; undefined where the table does not hold it, never a guess. */
export function onDemandPrice(name: string, region: string): Price | undefined {
  const type = instanceType(name);
  const vcpuHour = type === undefined ? undefined : TABLE.get(region)?.get(type.family);
  if (type === undefined || vcpuHour === undefined) return undefined;
  return { amount: Math.round(vcpuHour * type.vcpus * 1e5) / 1e5, currency: "USD", asOf: asOf(region) };
}

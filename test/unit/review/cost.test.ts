import { describe, expect, test } from "vitest";
import { onDemandPrice, servicePrices } from "../../../knowledge/aws/index.ts";
import { compareCosts, estimate } from "../../../review/cost.ts";
import type { FixedParts } from "../../../review/fixed-parts.ts";
import { costRemarks, costRows } from "../../../review/lines.ts";
import type { CostLine } from "../../../review/types.ts";
import { formatChange, formatRange } from "../../../review/words.ts";
import { ExistingEnvironment } from "../../../schema/environment/index.ts";
import { configOf, pool } from "./sample.ts";

const NO_PARTS: FixedParts = {
  controlPlanes: 0,
  natGateways: 0,
  interfaceEndpoints: 0,
  kmsKeys: 0,
  elasticIps: 0,
};
const PARTS: FixedParts = {
  ...NO_PARTS,
  controlPlanes: 1,
  natGateways: 3,
  interfaceEndpoints: 24,
  kmsKeys: 1,
};

const HOUR = onDemandPrice("m7g.4xlarge", "eu-central-1")?.amount ?? Number.NaN;
const GP3 = servicePrices("eu-central-1")?.gp3GbMonth ?? Number.NaN;

const lineOf = (members: Parameters<typeof pool>[0], cluster?: Parameters<typeof configOf>[1]): CostLine => {
  const config = configOf({ pools: [pool(members)] }, cluster);
  const line = estimate({ config, parts: NO_PARTS }).lines.find(({ part }) => part === "pool");
  if (line === undefined) throw new Error("no line for the pool");
  return line;
};

describe("a pool", () => {
  test("costs nodes × zones × price and root volumes for 730 hours", () => {
    const { money } = lineOf({ nodesPerZone: { min: 1, max: 10 } });
    const node = HOUR * 730 + 100 * GP3;
    expect(money?.floor).toBeCloseTo(3 * node, 6);
    expect(money?.ceiling).toBeCloseTo(30 * node, 6);
    expect(money?.currency).toBe("USD");
  });

  test("that scales from zero costs nothing at least", () => {
    expect(lineOf({ nodesPerZone: { min: 0, max: 10 } }).money?.floor).toBe(0);
  });

  test("of its own zones counts only these", () => {
    const { money, how } = lineOf({ zones: ["eu-central-1a"], nodesPerZone: { max: 10 } });
    expect(money?.ceiling).toBeCloseTo(10 * (HOUR * 730 + 100 * GP3), 6);
    expect(how).toContain("1 zone × 0 to 10, m7g.4xlarge at $");
  });

  test("with two instance types costs at least the cheaper and at most the dearer", () => {
    const { money } = lineOf({
      instanceTypes: ["m7g.4xlarge", "m6g.4xlarge"],
      nodesPerZone: { min: 1, max: 1 },
      rootVolume: "50Gi",
    });
    const other = onDemandPrice("m6g.4xlarge", "eu-central-1")?.amount ?? Number.NaN;
    expect(other).not.toBe(HOUR);
    expect(money?.floor).toBeCloseTo(3 * (Math.min(HOUR, other) * 730 + 50 * GP3), 6);
    expect(money?.ceiling).toBeCloseTo(3 * (Math.max(HOUR, other) * 730 + 50 * GP3), 6);
  });

  test("on spot costs at most the on-demand price and at least nothing, and says so", () => {
    const line = lineOf({ capacity: "spot", nodesPerZone: { min: 2, max: 10 } });
    expect(line.money?.floor).toBe(0);
    expect(line.money?.ceiling).toBeCloseTo(30 * (HOUR * 730 + 100 * GP3), 6);
    expect(line.how).toContain("spot at up to $");
    const config = configOf({ pools: [pool({ capacity: "spot" })] });
    expect(costRemarks(compareCosts({ config, parts: NO_PARTS }, undefined)).join()).toContain(
      "Spot prices move",
    );
  });

  test("takes the config's price instead of the table's, on spot too", () => {
    const pricePerHour = { amount: 0.25, currency: "USD", asOf: "2026-11-01" };
    const line = lineOf({ capacity: "spot", nodesPerZone: { min: 2, max: 10 }, pricePerHour });
    expect(line.money?.floor).toBeCloseTo(6 * (0.25 * 730 + 100 * GP3), 6);
    expect(line.notes).toContain("price from the config");
  });

  test("of a region without prices is unknown, never guessed", () => {
    const config = configOf(
      {},
      { region: "af-south-1", zones: ["af-south-1a", "af-south-1b", "af-south-1c"] },
    );
    const { lines, unknown, totals } = estimate({ config, parts: PARTS });
    expect(lines.find(({ part }) => part === "pool")?.money).toBeUndefined();
    expect(lines.find(({ part }) => part === "pool")?.notes).toEqual([
      "no price is known of m7g.4xlarge in af-south-1; set pricePerHour",
    ]);
    expect(unknown).toEqual(["system", "pool m7g-4xlarge", "NAT gateways", "interface endpoints"]);
    // The control plane and keys cost the same everywhere.
    expect(totals).toEqual([{ currency: "USD", floor: 0.1 * 730 + 1, ceiling: 0.1 * 730 + 3 }]);
  });

  test("with a price in another currency is added up by itself", () => {
    const pricePerHour = { amount: 0.6, currency: "EUR", asOf: "2026-11-01" };
    const config = configOf({ pools: [pool({ pricePerHour, nodesPerZone: { min: 1, max: 1 } })] });
    const { totals, lines } = estimate({ config, parts: NO_PARTS });
    expect(totals.find(({ currency }) => currency === "EUR")?.ceiling).toBeCloseTo(3 * 0.6 * 730, 6);
    expect(lines.find(({ part }) => part === "pool")?.notes.join()).toContain("without root volumes");
  });
});

test("fixed parts are counted as the engine would make them", () => {
  const { lines } = estimate({ config: configOf(), parts: PARTS });
  const services = servicePrices("eu-central-1");
  const ceilingOf = (name: string): number | undefined =>
    lines.find((line) => line.name === name)?.money?.ceiling;
  expect(ceilingOf("control plane")).toBeCloseTo(73, 6);
  expect(ceilingOf("NAT gateways")).toBeCloseTo(3 * 730 * (services?.natGatewayHour ?? Number.NaN), 6);
  expect(ceilingOf("interface endpoints")).toBeCloseTo(
    24 * 730 * (services?.interfaceEndpointHour ?? Number.NaN),
    6,
  );
});

test("public addresses cost the same everywhere", () => {
  const { lines } = estimate({ config: configOf(), parts: { ...NO_PARTS, elasticIps: 3 } });
  expect(lines.at(-1)).toMatchObject({ name: "public IPv4 addresses", how: "3 at $0.005 an hour" });
  expect(lines.at(-1)?.money?.ceiling).toBeCloseTo(3 * 0.005 * 730, 6);
});

test("the total is the sum of what is known", () => {
  const { lines, totals } = estimate({ config: configOf(), parts: PARTS });
  const sum = (pick: "floor" | "ceiling"): number =>
    lines.reduce((all, { money }) => all + (money?.[pick] ?? 0), 0);
  expect(totals).toEqual([{ currency: "USD", floor: sum("floor"), ceiling: sum("ceiling") }]);
});

test("the change is the difference of both sides", () => {
  const now = { config: configOf({ pools: [pool({ nodesPerZone: { min: 1, max: 20 } })] }), parts: PARTS };
  const before = { config: configOf(), parts: PARTS };
  const { change } = compareCosts(now, before);
  const node = HOUR * 730 + 100 * GP3;
  expect(change).toHaveLength(1);
  expect(change?.[0]?.floor).toBeCloseTo(3 * node, 6);
  expect(change?.[0]?.ceiling).toBeCloseTo(30 * node, 6);
});

test("without anything to compare with there is no change, and a config of an older form says why", () => {
  const now = { config: configOf(), parts: PARTS };
  expect(compareCosts(now, undefined)).toMatchObject({ change: undefined, beforeUnknown: undefined });
  expect(compareCosts(now, { unknown: "it is of an older form" }).beforeUnknown).toBe(
    "it is of an older form",
  );
});

test("an existing cluster costs nothing here: somebody else makes its nodes", () => {
  const eks = configOf();
  const config = ExistingEnvironment.parse({
    version: 2,
    class: "lab",
    protect: false,
    cluster: { kind: "existing" },
    pools: [
      {
        name: "default",
        instanceTypes: ["lab"],
        zones: ["lab-a"],
        nodesPerZone: { max: 1 },
        allocatable: { from: "node", node: "mayfly-lab" },
      },
    ],
    platform: eks.platform,
    tenants: eks.tenants,
    images: eks.images,
    s3: { endpoint: "http://10.244.0.1:7070", region: "us-east-1" },
    buckets: { logs: "mayfly-logs" },
    egress: [],
  });
  expect(estimate({ config, parts: NO_PARTS })).toEqual({ lines: [], totals: [], unknown: [], asOf: [] });
});

test("each line that moves says what it was; a new pool is new, one that is gone is named", () => {
  const now = {
    config: configOf({
      pools: [
        pool({ nodesPerZone: { max: 20 } }),
        pool({ name: "c7g-4xlarge", instanceTypes: ["c7g.4xlarge"] }),
      ],
    }),
    parts: PARTS,
  };
  const before = {
    config: configOf({ pools: [pool(), pool({ name: "r7g-4xlarge", instanceTypes: ["r7g.4xlarge"] })] }),
    parts: PARTS,
  };
  const rows = new Map(costRows(compareCosts(now, before)).map(({ name, how }) => [name, how]));
  expect(rows.get("pool m7g-4xlarge")).toMatch(/; before: \$0 to \$17,413$/);
  expect(rows.get("pool c7g-4xlarge")).toMatch(/; new$/);
  expect(rows.get("pool r7g-4xlarge")).toMatch(/^taken out; before: \$0 to \$[\d,]+$/);
  expect(rows.get("system pool")).not.toContain("before");
});

test("amounts are written as people write them", () => {
  expect(formatChange({ currency: "USD", floor: 412, ceiling: 8240.4 })).toBe("+ $412 to + $8,240 a month");
  expect(formatChange({ currency: "USD", floor: 0, ceiling: -36.5 })).toBe("$0 to - $37 a month");
  expect(formatChange({ currency: "USD", floor: 1e-12, ceiling: -1e-12 })).toBe("no change");
  expect(formatRange({ currency: "EUR", floor: 0.5, ceiling: 1234 })).toBe("€0.50 to €1,234");
  expect(formatRange({ currency: "USD", floor: 73, ceiling: 73 })).toBe("$73");
});

test("a part without a known price is left out of the change only where its number changes", () => {
  // A region whose NAT gateways Mayfly knows no price of.
  const stockholm = configOf(
    {},
    { region: "eu-north-1", zones: ["eu-north-1a", "eu-north-1b", "eu-north-1c"] },
  );
  const with_ = (natGateways: number) => ({ config: stockholm, parts: { ...NO_PARTS, natGateways } });
  const remarks = (now: number, before: number): string =>
    costRemarks(compareCosts(with_(now), with_(before))).join("\n");
  expect(remarks(3, 3)).not.toContain("The change does not know");
  expect(remarks(4, 3)).toContain("The change does not know what NAT gateways cost.");
});

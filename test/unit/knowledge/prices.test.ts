import { describe, expect, it } from "vitest";
import { INSTANCE_TYPES } from "../../../knowledge/aws/instances.ts";
import { onDemandPrice, PRICED_REGIONS } from "../../../knowledge/aws/prices.ts";
import { isRegion, REGION_CODES } from "../../../knowledge/aws/regions.ts";
import { servicePrices } from "../../../knowledge/aws/service-prices.ts";

describe("on-demand prices", () => {
  it.each([
    // Karpenter's table of us-east-1, 2026-07-20.
    ["m6i.xlarge", "us-east-1", 0.192],
    ["m7g.16xlarge", "us-east-1", 2.6112],
    ["r8gd.2xlarge", "us-east-1", 0.58784],
    ["m8i.96xlarge", "us-east-1", 20.32128],
    // The price list of eu-central-1 as others read it in August and October 2026.
    ["m7g.large", "eu-central-1", 0.0978],
    ["c8g.2xlarge", "eu-central-1", 0.3628],
    ["m7i-flex.large", "eu-central-1", 0.11471],
    // A cost page for eu-west-1, 2026.
    ["m7g.2xlarge", "eu-west-1", 0.3638],
    ["m7g.4xlarge", "eu-west-1", 0.7277],
  ])("of %s in %s is %d dollars an hour", (name, region, dollars) => {
    const price = onDemandPrice(name, region);
    expect(price?.currency).toBe("USD");
    expect(price?.asOf).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(Math.abs((price?.amount ?? 0) - dollars)).toBeLessThan(0.003 * dollars);
  });

  it("are known for every type in us-east-1, and in the four regions that matter most for most", () => {
    const count = (region: string): number =>
      INSTANCE_TYPES.filter(({ name }) => onDemandPrice(name, region) !== undefined).length;
    expect(count("us-east-1")).toBe(740);
    for (const region of ["us-west-2", "eu-west-1", "eu-central-1"])
      expect(count(region)).toBeGreaterThan(350);
  });

  it("are proportional to the vCPUs within a family", () => {
    expect((onDemandPrice("m7g.16xlarge", "eu-west-1")?.amount ?? 0) / 8).toBeCloseTo(
      onDemandPrice("m7g.2xlarge", "eu-west-1")?.amount ?? 0,
      4,
    );
  });

  it("are undefined for an unknown type, region, or pair of both, never zero or a neighbour's", () => {
    expect(onDemandPrice("m8i.large", "eu-west-1")).toBeUndefined();
    expect(onDemandPrice("m7g.large", "us-gov-west-1")).toBeUndefined();
    expect(onDemandPrice("lab", "us-east-1")).toBeUndefined();
    for (const region of PRICED_REGIONS) {
      for (const { name } of INSTANCE_TYPES) {
        const price = onDemandPrice(name, region);
        if (price !== undefined) expect(price.amount, `${name} ${region}`).toBeGreaterThan(0.01);
      }
    }
  });

  it("are told for regions only", () => {
    expect(PRICED_REGIONS.filter((region) => !isRegion(region))).toEqual([]);
    expect(PRICED_REGIONS.length).toBe(32);
  });
});

describe("service prices", () => {
  it.each([
    ["us-east-1", 0.045, 0.01, 0.08],
    ["us-west-2", 0.045, 0.01, 0.08],
    ["eu-west-1", 0.048, 0.011, 0.088],
    ["eu-central-1", 0.052, 0.012, 0.0952],
  ])(
    "in %s: NAT gateway %d, interface endpoint %d an hour, gp3 %d a GB-month",
    (region, nat, endpoint, gp3) => {
      expect(servicePrices(region)).toMatchObject({
        eksHour: { standard: 0.1, extended: 0.6 },
        kmsKeyMonth: 1,
        publicIpv4Hour: 0.005,
        natGatewayHour: nat,
        interfaceEndpointHour: endpoint,
        gp3GbMonth: gp3,
      });
    },
  );

  it("are undefined where no source tells them, while EKS and KMS cost the same everywhere", () => {
    const others = REGION_CODES.filter((code) => servicePrices(code)?.natGatewayHour === undefined);
    expect(others).toHaveLength(REGION_CODES.length - 4);
    expect(servicePrices("sa-east-1")).toMatchObject({ eksHour: { standard: 0.1 }, gp3GbMonth: undefined });
    expect(servicePrices("moon-1")).toBeUndefined();
  });
});

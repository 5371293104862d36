import { describe, expect, it } from "vitest";
import { INSTANCE_TYPES, instanceType, suggestInstanceTypes } from "../../../knowledge/aws/instances.ts";

describe("instance types", () => {
  it("are 740 of 80 families, each name once", () => {
    expect(INSTANCE_TYPES).toHaveLength(740);
    expect(new Set(INSTANCE_TYPES.map(({ family }) => family)).size).toBe(80);
    expect(new Set(INSTANCE_TYPES.map(({ name }) => name)).size).toBe(740);
  });

  it.each([
    // Each as DescribeInstanceTypes has it (moto 5.2.5), one of every kind of row.
    [
      "m7g.4xlarge",
      {
        architecture: "arm64",
        vcpus: 16,
        memory: 65_536,
        enis: 8,
        addressesPerEni: 30,
        localDisks: undefined,
      },
    ],
    ["m6id.32xlarge", { architecture: "x86_64", vcpus: 128, localDisks: { count: 4, sizeGb: 1900 } }],
    ["c7gn.medium", { vcpus: 1, memory: 2048, network: { baselineGbps: 3.125, burstGbps: 25 } }],
    ["r8i.96xlarge", { vcpus: 384, memory: 3_145_728, enis: 24, addressesPerEni: 64 }],
    ["c7i-flex.large", { family: "c7i-flex", generation: 7, size: "large", memory: 4096 }],
    ["i7ie.18xlarge", { vcpus: 72, memory: 589_824, localDisks: { count: 6, sizeGb: 7500 } }],
    ["i4i.24xlarge", { enis: 15, addressesPerEni: 30, localDisks: { count: 6, sizeGb: 3750 } }],
    ["m8azn.3xlarge", { vcpus: 12, memory: 49_152, enis: 8, addressesPerEni: 40 }],
  ])("know %s", (name, facts) => {
    expect(instanceType(name)).toMatchObject(facts);
  });

  it("have whole, positive facts, and burst no slower than they run", () => {
    for (const { name, vcpus, memory, enis, addressesPerEni, network, localDisks } of INSTANCE_TYPES) {
      for (const number of [vcpus, memory, enis, addressesPerEni, ...Object.values(localDisks ?? {})]) {
        expect(Number.isInteger(number) && number > 0, name).toBe(true);
      }
      expect(network.baselineGbps, name).toBeGreaterThan(0);
      expect(network.burstGbps, name).toBeGreaterThanOrEqual(network.baselineGbps);
    }
  });

  it("have local disks exactly in the families that are named so", () => {
    for (const { name, family, localDisks } of INSTANCE_TYPES) {
      const named = family.startsWith("i") || /^[mcr]\d[a-z]?d/.test(family);
      expect(localDisks !== undefined, name).toBe(named);
    }
  });

  it("are 64-bit ARM exactly where the family is Graviton's", () => {
    for (const { name, family, architecture } of INSTANCE_TYPES) {
      expect(architecture, name).toBe(/^.\dg/.test(family) ? "arm64" : "x86_64");
    }
  });

  it("leave out bare metal and what no source tells", () => {
    for (const name of ["m7g.metal", "m7i.metal-24xl", "t3.large", "m5.large", "p5.48xlarge", "lab", ""]) {
      expect(instanceType(name)).toBeUndefined();
    }
  });
});

describe("a mistyped instance type", () => {
  it.each([
    ["m7g.4xlrge", 'Did you mean "m7g.4xlarge"? Known sizes of m7g: medium, large,'],
    ["M7G.4XLARGE", 'Did you mean "m7g.4xlarge"?'],
    ["r7id.2xlarge", 'Did you mean "r7gd.2xlarge"?'],
    ["m7i-flx.large", 'Did you mean "m7i-flex.large"?'],
    ["m7g", "Known sizes of m7g: medium, large, xlarge"],
  ])("%s is answered with what is near", (name, answer) => {
    expect(suggestInstanceTypes(name)).toContain(answer);
  });

  it("that resembles nothing is answered with what is known, never with a list of hundreds", () => {
    const answer = suggestInstanceTypes("supercomputer");
    expect(answer).toContain("families m, c, r and i of generations 6 to 8");
    for (const name of ["supercomputer", "", ".", "m7g.", "x".repeat(500), "__proto__.large", "t3.large"]) {
      expect(suggestInstanceTypes(name).length).toBeLessThan(260);
    }
  });
});

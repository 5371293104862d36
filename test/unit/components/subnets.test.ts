import fc from "fast-check";
import { Address4 } from "ip-address";
import { describe, expect, test } from "vitest";
import { planSubnets, type SubnetsInput, type ZoneSubnets } from "../../../components/network/subnets.ts";

const zonesOf = (letters: string): string[] => letters.split("").map((letter) => `eu-central-1${letter}`);
const frankfurt = { vpcCidr: "10.0.0.0/16", podCidr: "100.64.0.0/16", zones: zonesOf("abc") };

function planned(input: SubnetsInput): readonly ZoneSubnets[] {
  const plan = planSubnets(input);
  if (!plan.ok) throw new Error(plan.problem.message);
  return plan.zones;
}

const range = (cidr: string): [bigint, bigint] => {
  const address = new Address4(cidr);
  return [address.startAddress().bigInt(), address.endAddress().bigInt()];
};
const within = (inner: string, outer: string): boolean =>
  range(inner)[0] >= range(outer)[0] && range(inner)[1] <= range(outer)[1];
const overlap = (one: string, other: string): boolean =>
  range(one)[0] <= range(other)[1] && range(other)[0] <= range(one)[1];

/** Configs that must work: any VPC of /16 to /20, any pod range that four or eight zones can share. */
const configs = fc
  .record({
    vpc: fc.tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 16, max: 20 })),
    pods: fc.tuple(fc.integer({ min: 64, max: 127 }), fc.integer({ min: 16, max: 19 })),
    letters: fc.uniqueArray(fc.constantFrom(..."abcdefgh".split("")), { minLength: 1, maxLength: 8 }),
  })
  .map(({ vpc, pods, letters }) => ({
    vpcCidr: `10.${vpc[0]}.0.0/${vpc[1]}`,
    podCidr: `100.${pods[0]}.0.0/${pods[1]}`,
    zones: zonesOf(letters.join("")),
  }));

describe("the subnets of three zones", () => {
  test("are a small public one, one for nodes and a large one for pods in each", () => {
    expect(planned(frankfurt)).toEqual([
      {
        zone: "eu-central-1a",
        public: "10.0.0.0/26",
        nodes: "10.0.32.0/19",
        pods: "100.64.0.0/18",
        podPrefixes: "100.64.32.0/19",
      },
      {
        zone: "eu-central-1b",
        public: "10.0.64.0/26",
        nodes: "10.0.96.0/19",
        pods: "100.64.64.0/18",
        podPrefixes: "100.64.96.0/19",
      },
      {
        zone: "eu-central-1c",
        public: "10.0.128.0/26",
        nodes: "10.0.160.0/19",
        pods: "100.64.128.0/18",
        podPrefixes: "100.64.160.0/19",
      },
    ]);
  });

  test("stay what they are when a fourth zone comes, one goes, or the list is sorted otherwise", () => {
    const three = planned(frankfurt);
    const four = planned({ ...frankfurt, zones: zonesOf("dbca") });
    expect(four.filter(({ zone }) => !zone.endsWith("d"))).toEqual(three);
    expect(planned({ ...frankfurt, zones: zonesOf("cb") })).toEqual(three.slice(1));
  });
});

describe("every plan", () => {
  test("has subnets that do not overlap, inside their ranges", () => {
    fc.assert(
      fc.property(configs, (config) => {
        const zones = planned(config);
        const vpcSubnets = zones.flatMap((zone) => [zone.public, zone.nodes]);
        const podSubnets = zones.map(({ pods }) => pods);
        for (const cidr of vpcSubnets) expect(within(cidr, config.vpcCidr)).toBe(true);
        for (const cidr of podSubnets) expect(within(cidr, config.podCidr)).toBe(true);
        for (const { pods, podPrefixes } of zones) expect(within(podPrefixes, pods)).toBe(true);
        const all = [...vpcSubnets, ...podSubnets];
        const clashes = all.flatMap((one, index) =>
          all.slice(index + 1).filter((other) => overlap(one, other)),
        );
        expect(clashes).toEqual([]);
      }),
    );
  });

  test("has room for 250 nodes and 1024 pod addresses in each zone, and half of these for prefixes", () => {
    fc.assert(
      fc.property(configs, (config) => {
        for (const { nodes, pods, podPrefixes } of planned(config)) {
          expect(2 ** (32 - new Address4(nodes).subnetMask)).toBeGreaterThanOrEqual(256);
          expect(2 ** (32 - new Address4(pods).subnetMask)).toBeGreaterThanOrEqual(1024);
          expect(new Address4(podPrefixes).subnetMask).toBe(new Address4(pods).subnetMask + 1);
        }
      }),
    );
  });

  test("gives a zone the same subnets whatever other zones up to d there are", () => {
    fc.assert(
      fc.property(
        configs,
        fc.subarray("abcd".split(""), { minLength: 1 }),
        fc.subarray("abcd".split(""), { minLength: 1 }),
        (config, some, others) => {
          const one = planned({ ...config, zones: zonesOf(some.join("")) });
          const other = planned({ ...config, zones: zonesOf(others.join("")) });
          for (const zone of one) {
            const same = other.find((candidate) => candidate.zone === zone.zone);
            if (same !== undefined) expect(same).toEqual(zone);
          }
        },
      ),
    );
  });
});

describe("what can't be planned is refused with the arithmetic", () => {
  test.each([
    [
      "a VPC too small",
      { vpcCidr: "10.0.0.0/22" },
      "vpcCidr",
      "10.0.0.0/22 has 1024 addresses; the VPC must be a /16 to /20: in 4 parts, one for each zone letter, it leaves 128 for the nodes of a zone, and 512 is the least",
    ],
    [
      "a VPC too large",
      { vpcCidr: "10.0.0.0/12" },
      "vpcCidr",
      "10.0.0.0/12 has 1048576 addresses; the VPC must be a /16 to /20, which is the most that AWS allows",
    ],
    [
      "too few addresses for pods",
      { podCidr: "100.64.0.0/22" },
      "podCidr",
      "100.64.0.0/22 has 1024 addresses: in 4 parts, one for each zone letter, it leaves 256 for the pods of a zone, and 1024 is the least",
    ],
    [
      "too few addresses for pods once there are zones beyond d",
      { podCidr: "100.64.0.0/20", zones: zonesOf("abf") },
      "podCidr",
      "100.64.0.0/20 has 4096 addresses: in 8 parts, one for each zone letter, it leaves 512 for the pods of a zone, and 1024 is the least",
    ],
    [
      "more pods than AWS allows",
      { podCidr: "100.64.0.0/12" },
      "podCidr",
      "100.64.0.0/12 is larger than /16, which is the most that AWS allows",
    ],
    [
      "overlapping ranges",
      { podCidr: "10.0.0.0/18" },
      "podCidr",
      "10.0.0.0/18 overlaps the VPC's 10.0.0.0/16",
    ],
    [
      "ranges that AWS does not let into one VPC",
      { podCidr: "192.168.0.0/16" },
      "podCidr",
      "AWS does not let 192.168.0.0/16 join a VPC with 10.0.0.0/16: they are of different private ranges",
    ],
    [
      "a range with its host part",
      { vpcCidr: "10.0.0.1/16" },
      "vpcCidr",
      "10.0.0.1/16 does not begin at the first address of its range",
    ],
    ["an address", { podCidr: "100.64.0.0" }, "podCidr", "100.64.0.0 is no IPv4 range"],
    ["no zone", { zones: [] }, "zones", "there are no zones"],
    [
      "a region as a zone",
      { zones: ["eu-central-1"] },
      "zones",
      "eu-central-1 does not end in a number and a letter from a to h",
    ],
    ["a zone twice", { zones: zonesOf("aa") }, "zones", "eu-central-1a is named twice"],
    [
      "zones of two regions",
      { zones: ["eu-central-1a", "eu-west-1a"] },
      "zones",
      "two zones end in the letter of eu-west-1a",
    ],
  ] as const)("%s", (_what, change, input, message) => {
    const plan = planSubnets({ ...frankfurt, ...change });
    expect(plan).toMatchObject({ ok: false, problem: { input, message } });
  });

  test("a hint says what to write instead", () => {
    const plan = planSubnets({ ...frankfurt, vpcCidr: "10.0.0.1/16" });
    expect(plan).toMatchObject({ problem: { hint: "Write 10.0.0.0/16." } });
  });
});

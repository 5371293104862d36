import { describe, expect, test } from "vitest";
import { Network, type NetworkArgs } from "../../../components/network/network.ts";
import { planSubnets } from "../../../components/network/subnets.ts";
import { graphProblems } from "../../harness/invariants.ts";
import type { Graph } from "../../harness/record.ts";
import { registrations } from "../platform/example.ts";
import { MODES, protectedNames, recordAws } from "./recorded.ts";

const ranges = { vpcCidr: "10.0.0.0/16", podCidr: "100.64.0.0/16" };

async function recorded(
  changes: Partial<NetworkArgs> = {},
  mode: { readonly preview?: boolean } = {},
  letters = "abc",
): Promise<Graph> {
  const plan = planSubnets({ ...ranges, zones: letters.split("").map((letter) => `eu-central-1${letter}`) });
  if (!plan.ok) throw new Error(plan.problem.message);
  const args = {
    region: "eu-central-1",
    ...ranges,
    subnets: plan.zones,
    nat: "one-per-zone",
    protect: true,
  } as const;
  return await recordAws((provider) => new Network("network", { ...args, ...changes, provider }), mode);
}

const inZone = (letter: string): string[] => [
  `network-eu-central-1${letter}-nat  aws:ec2/natGateway:NatGateway  by aws  in network`,
  `network-eu-central-1${letter}-nat-address  aws:ec2/eip:Eip  by aws  in network`,
  `network-eu-central-1${letter}-nodes  aws:ec2/subnet:Subnet  by aws  in network`,
  `network-eu-central-1${letter}-nodes-routes  aws:ec2/routeTableAssociation:RouteTableAssociation  by aws  in network`,
  `network-eu-central-1${letter}-pod-prefixes  aws:ec2/subnetCidrReservation:SubnetCidrReservation  by aws  in network`,
  `network-eu-central-1${letter}-pods  aws:ec2/subnet:Subnet  by aws  in network`,
  `network-eu-central-1${letter}-pods-routes  aws:ec2/routeTableAssociation:RouteTableAssociation  by aws  in network`,
  `network-eu-central-1${letter}-private  aws:ec2/routeTable:RouteTable  by aws  in network`,
  `network-eu-central-1${letter}-public  aws:ec2/subnet:Subnet  by aws  in network`,
  `network-eu-central-1${letter}-public-routes  aws:ec2/routeTableAssociation:RouteTableAssociation  by aws  in network`,
];

const ENDPOINTS = ["autoscaling", "ec2", "ecr-api", "ecr-dkr", "eks", "eks-auth", "logs", "s3", "sts"];

describe.each(MODES)("the network of three zones, in %s", (_mode, mode) => {
  test("consists of exactly these resources", async () => {
    const graph = await recorded({}, mode);
    expect(graphProblems(graph)).toEqual([]);
    expect(registrations(graph)).toEqual(
      [
        "network  mayfly:network:Network",
        "network-default-group  aws:ec2/defaultSecurityGroup:DefaultSecurityGroup  by aws  in network",
        "network-endpoints  mayfly:network:Endpoints  in network",
        ...ENDPOINTS.map(
          (one) => `network-endpoints-${one}  aws:ec2/vpcEndpoint:VpcEndpoint  by aws  in network-endpoints`,
        ),
        "network-endpoints-group  aws:ec2/securityGroup:SecurityGroup  by aws  in network-endpoints",
        "network-internet  aws:ec2/internetGateway:InternetGateway  by aws  in network",
        "network-pod-range  aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation  by aws  in network",
        "network-public  aws:ec2/routeTable:RouteTable  by aws  in network",
        "network-vpc  aws:ec2/vpc:Vpc  by aws  in network",
        ..."abc".split("").flatMap(inZone),
      ].sort(),
    );
  });
});

describe("the network", () => {
  test("has one NAT gateway and one private route table where one is wanted, and all subnets use it", async () => {
    const graph = await recorded({ nat: "one" });
    expect(graph.ofType(":NatGateway").map(({ name }) => name)).toEqual(["network-eu-central-1a-nat"]);
    expect(graph.ofType(":RouteTable")).toHaveLength(2);
    for (const letter of "abc") {
      for (const what of ["nodes", "pods"]) {
        expect(graph.get(`network-eu-central-1${letter}-${what}-routes`).inputs).toEqual({
          subnetId: `network-eu-central-1${letter}-${what}-id`,
          routeTableId: "network-eu-central-1a-private-id",
        });
      }
    }
  });

  test("leads each zone's private subnets out by that zone's own gateway", async () => {
    const graph = await recorded();
    for (const letter of "abc") {
      const zone = `network-eu-central-1${letter}`;
      expect(graph.get(`${zone}-private`).inputs["routes"]).toEqual([
        { cidrBlock: "0.0.0.0/0", natGatewayId: `${zone}-nat-id` },
      ]);
      expect(graph.get(`${zone}-nat`).inputs["subnetId"]).toBe(`${zone}-public-id`);
      expect(graph.get(`${zone}-nodes-routes`).inputs["routeTableId"]).toBe(`${zone}-private-id`);
      expect(graph.get(`${zone}-public-routes`).inputs["routeTableId"]).toBe("network-public-id");
    }
  });

  test("gives no subnet public addresses by itself, and marks for load balancers only the right ones", async () => {
    const graph = await recorded();
    for (const { name, inputs } of graph.ofType(":Subnet")) {
      expect(inputs["mapPublicIpOnLaunch"], name).toBe(false);
      const { Name, ...roles } = { ...(inputs["tags"] as Record<string, string>) };
      expect(Name).toMatch(/^network-(public|nodes|pods)-eu-central-1[abc]$/);
      expect(roles, name).toEqual(
        name.endsWith("-public")
          ? { "kubernetes.io/role/elb": "1" }
          : name.endsWith("-nodes")
            ? { "kubernetes.io/role/internal-elb": "1" }
            : {},
      );
    }
  });

  test("has a closed default group, and endpoints that only nodes and pods reach, by HTTPS", async () => {
    const graph = await recorded();
    expect(graph.get("network-default-group").inputs).toMatchObject({ ingress: [], egress: [] });
    expect(graph.get("network-endpoints-group").inputs).toMatchObject({
      ingress: [
        { protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [ranges.vpcCidr, ranges.podCidr] },
      ],
      egress: [],
    });
    for (const { name, inputs } of graph.ofType(":VpcEndpoint")) {
      if (name === "network-endpoints-s3") continue;
      expect(inputs, name).toMatchObject({
        vpcEndpointType: "Interface",
        privateDnsEnabled: true,
        securityGroupIds: ["network-endpoints-group-id"],
      });
    }
    expect(graph.get("network-endpoints-ecr-api").inputs["serviceName"]).toBe(
      "com.amazonaws.eu-central-1.ecr.api",
    );
  });

  test("leads to S3 by its gateway from every private subnet", async () => {
    const graph = await recorded();
    expect(graph.get("network-endpoints-s3").inputs).toMatchObject({
      vpcEndpointType: "Gateway",
      serviceName: "com.amazonaws.eu-central-1.s3",
      routeTableIds: ["a", "b", "c"].map((letter) => `network-eu-central-1${letter}-private-id`),
    });
  });

  test("keeps half of each pod subnet for prefixes, and makes it once its range is the VPC's", async () => {
    const graph = await recorded();
    expect(graph.get("network-eu-central-1b-pod-prefixes").inputs).toEqual({
      subnetId: "network-eu-central-1b-pods-id",
      cidrBlock: "100.64.96.0/19",
      reservationType: "prefix",
    });
    expect(graph.get("network-eu-central-1b-pods").dependencies).toContain("network-pod-range");
  });

  test("protects the VPC, its subnets and the addresses that others may have in allow-lists; or nothing", async () => {
    expect(protectedNames(await recorded({}, {}, "ab"))).toEqual([
      "network-eu-central-1a-nat-address",
      "network-eu-central-1a-nodes",
      "network-eu-central-1a-pods",
      "network-eu-central-1a-public",
      "network-eu-central-1b-nat-address",
      "network-eu-central-1b-nodes",
      "network-eu-central-1b-pods",
      "network-eu-central-1b-public",
      "network-vpc",
    ]);
    expect(protectedNames(await recorded({ protect: false }))).toEqual([]);
  });

  test("adds a fourth zone without a change to what the other three have", async () => {
    const [three, four] = [await recorded(), await recorded({}, {}, "abcd")];
    for (const { name, inputs } of three.resources) {
      // Both name all zones: the component for the reviewer, the endpoints because they have an address in each.
      if (name === "network" || name.startsWith("network-endpoints")) continue;
      expect(four.get(name).inputs, name).toEqual(inputs);
    }
    expect(four.resources).toHaveLength(three.resources.length + inZone("d").length);
  });

  test("tells whoever builds on it a subnet's id only once the subnet has its way out", async () => {
    const graph = await recordAws((provider) => {
      const plan = planSubnets({ ...ranges, zones: ["eu-central-1a"] });
      if (!plan.ok) throw new Error(plan.problem.message);
      const args = {
        region: "eu-central-1",
        ...ranges,
        subnets: plan.zones,
        nat: "one",
        protect: true,
      } as const;
      const { zones, accountId } = new Network("network", { ...args, provider });
      return { accountId, nodes: zones.map(({ nodeSubnetId }) => nodeSubnetId) };
    });
    expect(graph.outputs).toEqual({ accountId: "123456789012", nodes: ["network-eu-central-1a-nodes-id"] });
  });
});

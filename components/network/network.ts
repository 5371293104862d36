import * as ec2 from "@pulumi/aws/ec2/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { Endpoints } from "./endpoints.ts";
import type { ZoneSubnets } from "./subnets.ts";

/** Arguments of a {@link Network}. */
export interface NetworkArgs {
  readonly region: string;
  readonly vpcCidr: string;
  readonly podCidr: string;
  /** What {@link planSubnets} made of both ranges and the zones. */
  readonly subnets: readonly ZoneSubnets[];
  /** One NAT gateway in each zone, or one for all: cheaper, but its zone's outage cuts all zones off from the internet. */
  readonly nat: "one-per-zone" | "one";
  /** Whether VPC, subnets and NAT addresses (which others may have in their allow-lists) refuse to be deleted. */
  readonly protect: boolean;
  readonly provider: Provider;
}

/** Subnets of one zone. Their ids are known once they have their way out: a node that starts before that never joins. */
export interface Zone {
  readonly zone: string;
  readonly publicSubnetId: pulumi.Output<string>;
  readonly nodeSubnetId: pulumi.Output<string>;
  readonly podSubnetId: pulumi.Output<string>;
}

/** Subnets of one zone, without regard to their way out. */
interface Subnets {
  readonly zone: string;
  readonly public: ec2.Subnet;
  readonly nodes: ec2.Subnet;
  readonly pods: ec2.Subnet;
  readonly podPrefixes: ec2.SubnetCidrReservation;
}

/**
 * A VPC for one cluster: in each zone a small public subnet, a private one for nodes and a large private one for pods, with the
 * ways out (NAT, S3 gateway, interface endpoints). See docs/components/network.md.
 */
export class Network extends Component {
  readonly vpcId: pulumi.Output<string>;
  /** AWS account of the VPC. */
  readonly accountId: pulumi.Output<string>;
  readonly zones: readonly Zone[];
  readonly nodeSubnetIds: readonly pulumi.Output<string>[];

  constructor(name: string, args: NetworkArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "network:Network",
      name,
      {
        vpcCidr: args.vpcCidr,
        podCidr: args.podCidr,
        zones: args.subnets.map(({ zone }) => zone),
        nat: args.nat,
      },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const keep = this.childOptions({ protect: args.protect });

    // 1. The VPC, its second range, and nothing open by default.
    const vpc = new ec2.Vpc(
      this.childName("vpc"),
      { cidrBlock: args.vpcCidr, enableDnsSupport: true, enableDnsHostnames: true, tags: { Name: name } },
      keep,
    );
    const podRange = new ec2.VpcIpv4CidrBlockAssociation(
      this.childName("pod-range"),
      { vpcId: vpc.id, cidrBlock: args.podCidr },
      this.childOptions(),
    );
    // Adopts the group that AWS makes with each VPC and takes all its rules away: what names no group gets no traffic.
    new ec2.DefaultSecurityGroup(
      this.childName("default-group"),
      { vpcId: vpc.id, ingress: [], egress: [] },
      this.childOptions(),
    );

    // 2. Subnets.
    const subnets = args.subnets.map((plan) => this.#subnets(name, plan, vpc.id, podRange, keep));

    // 3. Ways out: public subnets by the internet gateway, the others by NAT.
    const internet = new ec2.InternetGateway(
      this.childName("internet"),
      { vpcId: vpc.id, tags: { Name: name } },
      this.childOptions(),
    );
    const everywhere = "0.0.0.0/0";
    const publicRoutes = new ec2.RouteTable(
      this.childName("public"),
      {
        vpcId: vpc.id,
        routes: [{ cidrBlock: everywhere, gatewayId: internet.id }],
        tags: { Name: `${name}-public` },
      },
      this.childOptions(),
    );
    const natZones = args.nat === "one" ? subnets.slice(0, 1) : subnets;
    const privateRoutes = natZones.map(({ zone, public: publicSubnet }) => {
      const address = new ec2.Eip(
        this.childName(`${zone}-nat-address`),
        { domain: "vpc", tags: { Name: `${name}-nat-${zone}` } },
        this.childOptions({ protect: args.protect, dependsOn: [internet] }),
      );
      const gateway = new ec2.NatGateway(
        this.childName(`${zone}-nat`),
        { subnetId: publicSubnet.id, allocationId: address.id, tags: { Name: `${name}-${zone}` } },
        this.childOptions(),
      );
      return new ec2.RouteTable(
        this.childName(`${zone}-private`),
        {
          vpcId: vpc.id,
          routes: [{ cidrBlock: everywhere, natGatewayId: gateway.id }],
          tags: { Name: `${name}-private-${zone}` },
        },
        this.childOptions(),
      );
    });
    const [firstPrivate] = privateRoutes;
    if (firstPrivate === undefined) throw new Error("a network needs at least one zone");
    this.zones = subnets.map((zone, index) =>
      // Nodes and pods of a zone share a table: the way out is the same, and each table is one more place to look at.
      this.#routed(zone, publicRoutes, privateRoutes[index] ?? firstPrivate),
    );

    // 4. AWS itself, without the way over the internet.
    new Endpoints(
      this.childName("endpoints"),
      {
        region: args.region,
        vpcId: vpc.id,
        sourceCidrs: [args.vpcCidr, args.podCidr],
        // Away from nodes and from the control plane's addresses, so that what runs may reach can be said by subnet.
        subnetIds: subnets.map(({ public: publicSubnet }) => publicSubnet.id),
        routeTableIds: privateRoutes.map(({ id }) => id),
      },
      this.componentOptions(),
    );

    this.vpcId = vpc.id;
    this.accountId = vpc.arn.apply(accountOf);
    this.nodeSubnetIds = this.zones.map(({ nodeSubnetId }) => nodeSubnetId);
    this.seal({ vpcId: this.vpcId });
  }

  #subnets(
    name: string,
    plan: ZoneSubnets,
    vpcId: pulumi.Output<string>,
    podRange: pulumi.Resource,
    keep: pulumi.CustomResourceOptions,
  ): Subnets {
    const { zone } = plan;
    const subnet = (
      what: "public" | "nodes" | "pods",
      tags: Readonly<Record<string, string>>,
      extra: pulumi.CustomResourceOptions = {},
    ): ec2.Subnet =>
      new ec2.Subnet(
        this.childName(`${zone}-${what}`),
        {
          vpcId,
          availabilityZone: zone,
          cidrBlock: plan[what],
          mapPublicIpOnLaunch: false,
          tags: { Name: `${name}-${what}-${zone}`, ...tags },
        },
        pulumi.mergeOptions(keep, extra),
      );
    // Load balancer controllers find subnets by these tags: https://docs.aws.amazon.com/eks/latest/userguide/network-reqs.html
    const forPublic = subnet("public", { "kubernetes.io/role/elb": "1" });
    const forNodes = subnet("nodes", { "kubernetes.io/role/internal-elb": "1" });
    // Its range has to be part of the VPC first.
    const forPods = subnet("pods", {}, { dependsOn: [podRange] });
    // Half of the subnet is for whole prefixes only. In the other half live the network interfaces' own addresses, and prefixes
    // once this half is full (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-cidr-reservation.html).
    const podPrefixes = new ec2.SubnetCidrReservation(
      this.childName(`${zone}-pod-prefixes`),
      { subnetId: forPods.id, cidrBlock: plan.podPrefixes, reservationType: "prefix" },
      this.childOptions(),
    );
    return { zone, public: forPublic, nodes: forNodes, pods: forPods, podPrefixes };
  }

  /** Gives a zone's subnets their route tables. */
  #routed(subnets: Subnets, publicRoutes: ec2.RouteTable, privateRoutes: ec2.RouteTable): Zone {
    const { zone, podPrefixes } = subnets;
    const routed = (
      what: "public" | "nodes" | "pods",
      table: ec2.RouteTable,
      ...before: pulumi.CustomResource[]
    ): pulumi.Output<string> => {
      const { id } = subnets[what];
      const association = new ec2.RouteTableAssociation(
        this.childName(`${zone}-${what}-routes`),
        { subnetId: id, routeTableId: table.id },
        this.childOptions(),
      );
      const after = pulumi.all([association, ...before].map((one) => one.id));
      return pulumi.all([id, after]).apply(([known]) => known);
    };
    return {
      zone,
      publicSubnetId: routed("public", publicRoutes),
      nodeSubnetId: routed("nodes", privateRoutes),
      podSubnetId: routed("pods", privateRoutes, podPrefixes),
    };
  }
}

/** `arn:aws:ec2:<region>:<account>:vpc/<id>`. */
const accountOf = (arn: string): string => arn.split(":")[4] ?? "";

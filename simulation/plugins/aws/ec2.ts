import type { JsonRecord } from "../../json.ts";
import { changes } from "../compare.ts";
import { digest, digits } from "../identity.ts";
import { ACCOUNT, arn, ec2Id, type Facts, input, type Model, type Models, NOTHING } from "./model.ts";
import { zoneId } from "./regions.ts";

/** An EC2 resource with its own id. */
const ec2 = (prefix: string, kind: string, model: Partial<Model> & Pick<Model, "replaces">): Model => ({
  id: ec2Id(prefix),
  tagged: true,
  regional: true,
  ...model,
  outputs: (facts) => ({
    arn: arn(facts, "ec2", `${kind}/${facts.id}`),
    ...model.outputs?.(facts),
  }),
});

const derived = (facts: Facts, prefix: string): string => `${prefix}-0${digest(16, facts.id, prefix)}`;

/** A public address of the block that is kept for documentation: https://www.rfc-editor.org/rfc/rfc5737 */
const address = (facts: Facts): string => `203.0.113.${Number.parseInt(digest(2, facts.id), 16)}`;

/**
 * What replaces what: `ForceNew` in hashicorp/terraform-provider-aws, internal/service/ec2, which @pulumi/aws is made of.
 */
export const EC2: Models = {
  "aws:ec2/vpc:Vpc": ec2("vpc", "vpc", {
    replaces: ["cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "instanceTenancy"],
    defaults: { instanceTenancy: "default", enableDnsSupport: true, enableDnsHostnames: false },
    outputs: (facts) => ({
      ownerId: ACCOUNT,
      defaultNetworkAclId: derived(facts, "acl"),
      defaultRouteTableId: derived(facts, "rtb"),
      mainRouteTableId: derived(facts, "rtb"),
      defaultSecurityGroupId: derived(facts, "sg"),
      dhcpOptionsId: derived(facts, "dopt"),
    }),
  }),
  "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": {
    id: ec2Id("vpc-cidr-assoc"),
    outputs: NOTHING,
    replaces: ["cidrBlock", "ipv4IpamPoolId", "ipv4NetmaskLength", "vpcId"],
    tagged: false,
    regional: true,
  },
  "aws:ec2/subnet:Subnet": ec2("subnet", "subnet", {
    replaces: ["availabilityZone", "availabilityZoneId", "cidrBlock", "ipv6Native", "outpostArn", "vpcId"],
    defaults: { mapPublicIpOnLaunch: false },
    outputs: (facts) => ({
      ownerId: ACCOUNT,
      availabilityZoneId: zoneId(input(facts, "availabilityZone")),
    }),
  }),
  "aws:ec2/subnetCidrReservation:SubnetCidrReservation": {
    id: ec2Id("scr"),
    outputs: () => ({ ownerId: ACCOUNT }),
    replaces: ["cidrBlock", "description", "reservationType", "subnetId"],
    tagged: false,
    regional: true,
  },
  "aws:ec2/internetGateway:InternetGateway": ec2("igw", "internet-gateway", {
    replaces: [],
    outputs: () => ({ ownerId: ACCOUNT }),
  }),
  "aws:ec2/eip:Eip": ec2("eipalloc", "elastic-ip", {
    replaces: [
      "address",
      "customerOwnedIpv4Pool",
      "domain",
      "ipamPoolId",
      "networkBorderGroup",
      "publicIpv4Pool",
    ],
    outputs: (facts) => ({
      allocationId: facts.id,
      publicIp: address(facts),
      publicDns: `ec2-${address(facts).replaceAll(".", "-")}.${facts.region}.compute.amazonaws.com`,
    }),
  }),
  "aws:ec2/natGateway:NatGateway": {
    id: ec2Id("nat"),
    outputs: (facts) => ({
      associationId: derived(facts, "eipassoc"),
      networkInterfaceId: derived(facts, "eni"),
      publicIp: address(facts),
    }),
    defaults: { connectivityType: "public" },
    replaces: ["allocationId", "availabilityMode", "connectivityType", "privateIp", "subnetId", "vpcId"],
    tagged: true,
    regional: true,
  },
  "aws:ec2/routeTable:RouteTable": ec2("rtb", "route-table", {
    replaces: ["vpcId"],
    sets: ["routes", "propagatingVgws"],
    outputs: () => ({ ownerId: ACCOUNT }),
  }),
  "aws:ec2/route:Route": {
    id: (facts) => `r-${input(facts, "routeTableId")}${digits(9, facts.urn)}`,
    outputs: () => ({ origin: "CreateRoute", state: "active" }),
    replaces: ["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"],
    tagged: false,
    regional: true,
  },
  "aws:ec2/routeTableAssociation:RouteTableAssociation": {
    id: ec2Id("rtbassoc"),
    outputs: NOTHING,
    replaces: ["gatewayId", "subnetId"],
    tagged: false,
    regional: true,
  },
  "aws:ec2/vpcEndpoint:VpcEndpoint": ec2("vpce", "vpc-endpoint", {
    replaces: [
      "resourceConfigurationArn",
      "serviceName",
      "serviceNetworkArn",
      "serviceRegion",
      "vpcEndpointType",
      "vpcId",
    ],
    sets: ["routeTableIds", "securityGroupIds", "subnetIds"],
    defaults: { vpcEndpointType: "Gateway" },
    outputs: (facts) => ({
      ownerId: ACCOUNT,
      state: "available",
      requesterManaged: false,
      prefixListId: `pl-${digest(8, facts.region, input(facts, "serviceName"))}`,
      cidrBlocks: [],
      networkInterfaceIds: [],
      dnsEntries: [],
    }),
  }),
  "aws:ec2/securityGroup:SecurityGroup": ec2("sg", "security-group", {
    replaces: ["description", "name", "namePrefix", "vpcId"],
    sets: ["egress", "ingress"],
    defaults: { description: "Managed by Pulumi", revokeRulesOnDelete: false },
    name: { property: "name", unless: ["namePrefix"] },
    outputs: () => ({ ownerId: ACCOUNT }),
  }),
  "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": ec2("sg", "security-group", {
    replaces: ["vpcId"],
    sets: ["egress", "ingress"],
    outputs: () => ({
      ownerId: ACCOUNT,
      name: "default",
      namePrefix: "",
      description: "default VPC security group",
    }),
  }),
  "aws:ec2/securityGroupRule:SecurityGroupRule": {
    id: (facts) => `sgrule-${digits(10, facts.urn, input(facts, "securityGroupId"))}`,
    outputs: (facts) => ({ securityGroupRuleId: derived(facts, "sgr") }),
    replaces: [
      "cidrBlocks",
      "fromPort",
      "ipv6CidrBlocks",
      "prefixListIds",
      "protocol",
      "securityGroupId",
      "self",
      "sourceSecurityGroupId",
      "toPort",
      "type",
    ],
    defaults: { self: false },
    tagged: false,
    regional: true,
  },
  "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": ec2("sgr", "security-group-rule", {
    replaces: ["securityGroupId"],
    outputs: (facts) => ({ securityGroupRuleId: facts.id }),
  }),
  "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": ec2("sgr", "security-group-rule", {
    replaces: ["securityGroupId"],
    outputs: (facts) => ({ securityGroupRuleId: facts.id }),
  }),
  "aws:ec2/launchTemplate:LaunchTemplate": ec2("lt", "launch-template", {
    replaces: ["name", "namePrefix"],
    sets: ["vpcSecurityGroupIds", "securityGroupNames"],
    name: { property: "name", unless: ["namePrefix"] },
    outputs: launchTemplateVersions,
    // Each change but these makes a new version: `customdiff.ComputedIf` of launch_template.go.
    moving: {
      outputs: ["latestVersion", "defaultVersion"],
      except: ["name", "namePrefix", "description", "defaultVersion", "updateDefaultVersion"],
    },
  }),
  "aws:ec2/flowLog:FlowLog": {
    id: ec2Id("fl"),
    outputs: (facts) => ({ arn: arn(facts, "ec2", `vpc-flow-log/${facts.id}`) }),
    replaces: [
      "deliverCrossAccountRole",
      "destinationOptions",
      "eniId",
      "iamRoleArn",
      "logDestination",
      "logDestinationType",
      "logFormat",
      "maxAggregationInterval",
      "subnetId",
      "trafficType",
      "vpcId",
    ],
    tagged: true,
    regional: true,
  },
  "aws:ec2/placementGroup:PlacementGroup": {
    id: (facts) => input(facts, "name"),
    outputs: (facts) => ({
      arn: arn(facts, "ec2", `placement-group/${facts.id}`),
      placementGroupId: derived(facts, "pg"),
    }),
    replaces: ["name", "partitionCount", "spreadLevel", "strategy"],
    name: { property: "name" },
    tagged: true,
    regional: true,
  },
  "aws:ec2/tag:Tag": {
    id: (facts) => `${input(facts, "resourceId")},${input(facts, "key")}`,
    outputs: NOTHING,
    replaces: ["key", "resourceId"],
    tagged: false,
    regional: true,
  },
};

/** Tags are the template's own and make no version of it. */
const NOT_VERSIONED = new Set([
  "tags",
  "tagsAll",
  "name",
  "namePrefix",
  "description",
  "defaultVersion",
  "updateDefaultVersion",
]);

function launchTemplateVersions({ inputs, before }: Facts): ReturnType<Model["outputs"]> {
  if (before === undefined) return { latestVersion: 1, defaultVersion: 1 };
  const latest = numberAt(before.outputs, "latestVersion");
  const changed = changes(before.inputs, inputs, () => false).some(
    ({ path }) => !NOT_VERSIONED.has(String(path[0])),
  );
  const next = changed ? latest + 1 : latest;
  const follows = changed && inputs["updateDefaultVersion"] === true;
  return { latestVersion: next, defaultVersion: follows ? next : numberAt(before.outputs, "defaultVersion") };
}

const numberAt = (value: JsonRecord, key: string): number => {
  const found = value[key];
  return typeof found === "number" ? found : 1;
};

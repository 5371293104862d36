import * as ec2 from "@pulumi/aws/ec2/index.js";
import type * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";

/** Arguments of {@link Endpoints}. */
export interface EndpointsArgs {
  readonly region: string;
  readonly vpcId: pulumi.Input<string>;
  /** Who may use the interface endpoints. */
  readonly sourceCidrs: readonly string[];
  /** Subnets that the interface endpoints have an address in, one in each zone. */
  readonly subnetIds: readonly pulumi.Input<string>[];
  /** Tables that get the way to S3. */
  readonly routeTableIds: readonly pulumi.Input<string>[];
}

/**
 * AWS services that nodes and platform pods need, by endpoints inside the VPC: no charge for NAT traffic, and a cluster
 * that works while the way to the internet does not
 * (https://docs.aws.amazon.com/eks/latest/userguide/private-clusters.html).
 */
export const INTERFACE_ENDPOINTS = [
  // Images: the registry's API and its Docker interface. Layers come from S3.
  "ecr.api",
  "ecr.dkr",
  // Identities of pods: web identity by sts, Pod Identity by eks-auth.
  "sts",
  "eks-auth",
  // The VPC CNI attaches network interfaces and prefixes; the EBS driver attaches volumes.
  "ec2",
  // Nodes and Cluster Autoscaler describe the cluster and its node groups.
  "eks",
  "autoscaling",
  // CloudWatch Logs.
  "logs",
] as const;

/** The ways to AWS services that do not lead over NAT. */
export class Endpoints extends Component {
  constructor(name: string, args: EndpointsArgs, options: pulumi.ComponentResourceOptions) {
    super("network:Endpoints", name, { interface: [...INTERFACE_ENDPOINTS], gateway: ["s3"] }, options);
    const service = (short: string): string => `com.amazonaws.${args.region}.${short}`;
    const s3 = new ec2.VpcEndpoint(
      this.childName("s3"),
      {
        vpcId: args.vpcId,
        serviceName: service("s3"),
        vpcEndpointType: "Gateway",
        routeTableIds: [...args.routeTableIds],
      },
      this.childOptions(),
    );
    const group = new ec2.SecurityGroup(
      this.childName("group"),
      {
        vpcId: args.vpcId,
        description: "HTTPS to AWS services from nodes and pods",
        ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [...args.sourceCidrs] }],
        // Endpoints open no connections of their own.
        egress: [],
      },
      this.childOptions(),
    );
    for (const short of INTERFACE_ENDPOINTS) {
      new ec2.VpcEndpoint(
        this.childName(short.replace(".", "-")),
        {
          vpcId: args.vpcId,
          serviceName: service(short),
          vpcEndpointType: "Interface",
          privateDnsEnabled: true,
          subnetIds: [...args.subnetIds],
          securityGroupIds: [group.id],
        },
        this.childOptions(),
      );
    }
    this.seal({ s3: s3.id });
  }
}

import { z } from "zod";
import { dnsLabel, Memory } from "../primitives.ts";

/** A minor version of Kubernetes: `1.34`. */
export const KubernetesVersion = z
  .string('must be text: put the version in quotes, such as "1.34"')
  .regex(/^1\.\d+$/, 'must be a minor version such as "1.34"');

const arn = (service: string, what: string) =>
  z.string().regex(new RegExp(`^arn:aws[a-z-]*:${service}:`), `must be the ARN of ${what}`);

/** Private IPv4 ranges of the environment. */
const Network = z.strictObject({
  vpcCidr: z.cidrv4().describe("Nodes, load balancers and endpoints live here: /16 to /20."),
  podCidr: z
    .cidrv4()
    .default("100.64.0.0/16")
    .describe("Pods only; shared address space by custom, since it is routed nowhere else (RFC 6598)."),
  nat: z
    .enum(["one-per-zone", "one"])
    .describe("NAT gateways. One is cheaper; its zone's outage then cuts all zones off from the internet."),
});

const Endpoint = z
  .discriminatedUnion(
    "access",
    [
      z.strictObject({
        access: z.literal("private").describe("Only from inside the VPC and networks peered with it."),
      }),
      z.strictObject({
        access: z.literal("public").describe("From these ranges too; nodes still use the private endpoint."),
        allowedCidrs: z.array(z.cidrv4()).min(1),
      }),
    ],
    "access must be private or public",
  )
  .describe("Who reaches the Kubernetes API.");

const Encryption = z
  .discriminatedUnion(
    "key",
    [
      z.strictObject({ key: z.literal("created").describe("A KMS key of the environment's own, rotated.") }),
      z.strictObject({ key: z.literal("existing"), keyArn: arn("kms", "a KMS key") }),
    ],
    "key must be created or existing",
  )
  .describe("The key that encrypts Secrets, volumes and buckets.");

const LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"] as const;

/** Number of nodes in each zone. */
export const NodesPerZone = z.strictObject({
  min: z.int().min(0).default(0).describe("0: scaled from zero."),
  max: z.int().positive(),
});

const EksCluster = z.strictObject({
  kind: z.literal("eks").describe("An EKS cluster, made with its network."),
  region: z.string().min(1).describe("Region, such as eu-central-1."),
  zones: z
    .array(z.string().min(1))
    .min(2, "EKS needs at least two zones")
    .describe("Availability zones, such as eu-central-1a."),
  kubernetesVersion: KubernetesVersion,
  network: Network,
  endpoint: Endpoint,
  encryption: Encryption.prefault({ key: "created" }),
  controlPlaneLogs: z.array(z.enum(LOG_TYPES)).default([...LOG_TYPES]),
  access: z
    .array(
      z.strictObject({
        name: dnsLabel(30),
        principalArn: arn("iam", "an IAM role or user"),
        level: z.enum(["admin", "view"]),
      }),
    )
    .min(1, "name at least one role that may administer the cluster")
    .describe("Who may use the Kubernetes API, by EKS access entries."),
  systemPool: z
    .strictObject({
      instanceType: z.string().min(1),
      capacity: z
        .literal("on-demand", "the system pool runs the cluster's own services: it is on-demand only")
        .default("on-demand"),
      nodesPerZone: NodesPerZone,
      rootVolume: Memory.default("50Gi"),
    })
    .describe("Nodes for the platform's own services; no run ever lands here."),
});
export type EksCluster = z.infer<typeof EksCluster>;

const ExistingCluster = z.strictObject({
  kind: z.literal("existing").describe("A cluster that is there already."),
  kubeconfig: z.string().min(1).optional().describe("Path of its kubeconfig; KUBECONFIG where left out."),
  context: z.string().min(1).optional().describe("Context in it; its current one where left out."),
});
export type ExistingCluster = z.infer<typeof ExistingCluster>;

export const Cluster = z
  .discriminatedUnion("kind", [EksCluster, ExistingCluster], "kind must be eks or existing")
  .describe("The cluster that the environment stands on.");
export type Cluster = z.infer<typeof Cluster>;

export { EksCluster, ExistingCluster };

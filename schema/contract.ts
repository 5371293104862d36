import { z } from "zod";
import { dnsLabel, Labels, Mib, Millicores, Seconds } from "./primitives.ts";
import { TenantLimits } from "./service.ts";

/** A peer that a run's pods may talk to, in the terms of a NetworkPolicy rule (after service translation). */
export const NetworkPeer = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("cidr"), cidr: z.cidrv4(), except: z.array(z.cidrv4()).default([]) }),
  z.strictObject({ kind: z.literal("pods"), namespaceLabels: Labels, podLabels: Labels }),
]);
export type NetworkPeer = z.infer<typeof NetworkPeer>;

/** An allowed flow out of a run's namespace. */
export const Egress = z.strictObject({
  name: z.string().min(1).describe("What it is for: dns, s3, …"),
  peers: z.array(NetworkPeer).min(1),
  ports: z
    .array(z.strictObject({ protocol: z.enum(["TCP", "UDP"]), port: z.int().min(1).max(65_535) }))
    .min(1),
});
export type Egress = z.infer<typeof Egress>;

/** What one node of a pool offers to pods. */
export const Allocatable = z.strictObject({
  cpu: Millicores.describe("Millicores after the kubelet's reservations and the platform's daemons."),
  memory: Mib.describe("MiB after the kubelet's reservations and the platform's daemons."),
  scratch: Mib.describe("MiB of ephemeral storage."),
  pods: z.int().positive(),
});
export type Allocatable = z.infer<typeof Allocatable>;

export const Toleration = z.strictObject({
  key: z.string(),
  operator: z.enum(["Equal", "Exists"]),
  value: z.string().optional(),
  effect: z.enum(["NoSchedule", "NoExecute"]),
});

export const Pool = z.strictObject({
  name: dnsLabel(),
  instanceType: z.string().min(1).describe("The first of the pool's instance types; all are of one shape."),
  capacity: z.enum(["on-demand", "spot"]),
  zones: z.array(z.string().min(1)).min(1),
  maxNodesPerZone: z.int().positive(),
  allocatable: Allocatable.describe("Per node."),
  nodeSelector: Labels,
  tolerations: z.array(Toleration),
  pricePerHour: z
    .strictObject({ amount: z.number().positive(), currency: z.string().length(3), asOf: z.iso.date() })
    .optional()
    .describe("Price of one node; estimates are made only where it is known."),
});
export type Pool = z.infer<typeof Pool>;

/** The most that all runs of a tenant together may ask for. */
export const TenantQuota = z.strictObject({
  cpu: Millicores,
  memory: Mib,
  scratch: Mib,
  pods: z.int().positive(),
});
export type TenantQuota = z.infer<typeof TenantQuota>;

export const Tenant = z.strictObject({
  id: dnsLabel(20),
  namespace: dnsLabel().describe(
    "Long-lived namespace with the tenant's own Secrets; runs get namespaces of their own.",
  ),
  quota: TenantQuota,
  pools: z.array(dnsLabel()).min(1).describe("Pools that runs of the tenant may use."),
  /** How pods of this tenant sign S3 requests. */
  s3Identity: z.discriminatedUnion("kind", [
    z.strictObject({
      kind: z.literal("secret"),
      secret: dnsLabel().describe(
        "Secret in the tenant's namespace with access-key-id and secret-access-key.",
      ),
    }),
    z.strictObject({ kind: z.literal("web-identity"), roleArn: z.string().startsWith("arn:") }),
  ]),
  buckets: z
    .array(z.string())
    .describe("Buckets the tenant may use, for the error message when a job names another."),
  /** Not in contracts that were written before there was the choice. */
  allowHighAvailability: z
    .boolean()
    .optional()
    .describe(
      "Whether streams of the tenant may have high availability by Kubernetes: a token for their own run's config maps.",
    ),
  /** Not in contracts that were written before there were limits. */
  limits: TenantLimits,
});
export type Tenant = z.infer<typeof Tenant>;

/** The contract's version. The helper refuses a contract of another one. */
export const CONTRACT_VERSION = "mayfly.dev/environment/v2";

/**
 * All that a job needs to know of an environment: exported by stacks/environment as its one output `contract`, read and
 * validated once by the helper. A change that an old helper would misread gets a new apiVersion.
 */
export const EnvironmentContract = z
  .strictObject({
    apiVersion: z.literal(CONTRACT_VERSION),
    name: dnsLabel(),
    class: z.enum(["production", "development", "lab"]),
    clusterId: z
      .string()
      .min(1)
      .describe("UID of the namespace kube-system: tells clusters apart, whatever their address."),
    zones: z.array(z.string().min(1)).min(1),
    pools: z.array(Pool).min(1).describe("Those that take new runs."),
    storageClasses: z.array(dnsLabel()),
    tenants: z.array(Tenant),
    images: z
      .array(
        z.strictObject({
          engine: z.enum(["spark", "flink"]),
          version: z.string(),
          reference: z.string().min(1).describe("Image reference, with digest where a registry serves it."),
          pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
        }),
      )
      .min(1),
    s3: z.strictObject({ endpoint: z.url(), region: z.string().min(1), pathStyle: z.boolean() }),
    buckets: z.strictObject({
      logs: z.string().min(1).describe("Where the helper keeps reports and logs of runs."),
      state: z
        .string()
        .min(1)
        .optional()
        .describe("Pulumi's state of job stacks; where left out, the helper's machine keeps it."),
    }),
    repositories: z
      .array(z.strictObject({ name: z.string().min(1), url: z.string().min(1) }))
      .describe("Image repositories of the environment's own registry."),
    lacks: z
      .array(z.strictObject({ part: z.string().min(1), because: z.string().min(1) }))
      .describe("Parts of the platform that were left out."),
    fence: z
      .strictObject({
        policies: z
          .array(z.string().min(1))
          .min(1)
          .describe("Names of the admission policies, and of their bindings."),
      })
      .optional()
      .describe(
        "What keeps a helper off that has lost its lease and does not know; not in contracts that were written before there was one.",
      ),
    highAvailability: z
      .strictObject({
        roles: z
          .strictObject({ coordinator: z.string().min(1), workers: z.string().min(1) })
          .describe("ClusterRoles for the accounts of such a run, bound in its own namespace only."),
        api: Egress.describe("The Kubernetes API, as those pods reach it."),
      })
      .optional()
      .describe("What streams with high availability need; where left out, there is none."),
    egress: z.array(Egress).describe("What every run's pods may reach outside their namespace: DNS and S3."),
    limits: z.strictObject({
      pendingDeadline: Seconds.describe("How long a pod may wait for a node, scale-up from zero included."),
      imageDeadline: Seconds.describe("How long a pod may fail to pull its image."),
      startDeadline: Seconds.describe("From a pod's start to the driver's first sign of life."),
    }),
  })
  .meta({ id: "EnvironmentContract", title: "Mayfly environment contract" });
export type EnvironmentContract = z.infer<typeof EnvironmentContract>;

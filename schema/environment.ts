import { z } from "zod";
import { Egress, Toleration } from "./contract.ts";
import { Cpu, Duration, dnsLabel, Labels, Memory } from "./primitives.ts";

/** The cluster that the environment stands on. Further kinds, which make a cluster first, become members of this union. */
const Cluster = z
  .discriminatedUnion(
    "kind",
    [
      z.strictObject({
        kind: z.literal("existing").describe("A cluster that is there already, reached by KUBECONFIG."),
        context: z
          .string()
          .min(1)
          .optional()
          .describe("Context of the kubeconfig; its current one where left out."),
      }),
    ],
    "kind must be existing",
  )
  .describe("The cluster.");

const Room = {
  cpu: Cpu,
  memory: Memory,
  scratch: Memory.describe("Ephemeral storage."),
  pods: z.int().positive(),
};

const Allocatable = z
  .discriminatedUnion(
    "from",
    [
      z.strictObject({
        from: z.literal("config").describe("Known beforehand: for pools that scale from zero."),
        ...Room,
      }),
      z.strictObject({
        from: z.literal("node").describe("Read from a node that stands for the pool."),
        node: z.string().min(1).describe("Name of a node that exists."),
        reserve: z
          .strictObject({ cpu: Cpu.optional(), memory: Memory.optional(), pods: z.int().min(0).optional() })
          .prefault({})
          .describe("What the platform's own pods on each node need of it."),
      }),
    ],
    "from must be config or node",
  )
  .describe("What one node offers to runs.");

const Pool = z.strictObject({
  name: dnsLabel(),
  instanceType: z.string().min(1),
  capacity: z.enum(["on-demand", "spot"]).default("on-demand"),
  zones: z.array(z.string().min(1)).min(1).describe("Availability zones that have nodes of this pool."),
  maxNodesPerZone: z.int().positive(),
  allocatable: Allocatable,
  nodeSelector: Labels.optional().describe("Labels of its nodes; mayfly.dev/pool=<name> where left out."),
  tolerations: z.array(Toleration).default([]).describe("For the taints of its nodes."),
  pricePerHour: z
    .strictObject({ amount: z.number().positive(), currency: z.string().length(3), asOf: z.iso.date() })
    .optional()
    .describe("Price of one node, for estimates."),
});

const Tenant = z.strictObject({
  id: dnsLabel(20).describe("Part of namespaces, labels and reports; never changed later."),
  quota: z.strictObject(Room).describe("The most that all runs of the tenant together may ask for."),
  s3Identity: z
    .discriminatedUnion(
      "kind",
      [
        z.strictObject({
          kind: z.literal("secret"),
          secret: dnsLabel().describe(
            "Secret in namespace tenant-<id> with access-key-id and secret-access-key. Put there by you, not by Pulumi.",
          ),
        }),
        z.strictObject({
          kind: z.literal("web-identity"),
          roleArn: z.string().startsWith("arn:", "must be the ARN of a role"),
        }),
      ],
      "kind must be secret or web-identity",
    )
    .describe("How pods of this tenant sign S3 requests."),
  buckets: z.array(z.string().min(3)).describe("Buckets that the tenant may use."),
});

const Image = z.strictObject({
  engine: z.enum(["spark", "flink"]),
  version: z
    .string("must be text: put the version in quotes")
    .regex(/^\d+\.\d+\.\d+$/, 'must be a full version such as "4.0.1"'),
  reference: z.string().min(1).describe("Image reference, with digest where a registry serves it."),
  pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
});

/** The first of `items` whose key an earlier one has too. */
function duplicate<T>(items: readonly T[], key: (item: T) => string): number {
  const keys = items.map(key);
  return keys.findIndex((value, index) => keys.indexOf(value) < index);
}

/**
 * The config of the environment project: what a platform engineer reviews. Each member is a Pulumi config key of project
 * `mayfly` (`mayfly:pools`), see Pulumi.lab.yaml for a whole one.
 */
export const EnvironmentConfig = z
  .strictObject({
    cluster: Cluster,
    pools: z.array(Pool).min(1).describe("Nodes by instance type."),
    storageClasses: z
      .array(dnsLabel())
      .default([])
      .describe("Storage classes that jobs may use for scratch."),
    tenants: z.array(Tenant).min(1),
    images: z.array(Image).min(1).describe("Engine images, one for each version on offer."),
    s3: z.strictObject({
      endpoint: z.url().describe("As pods reach it."),
      region: z.string().min(1),
      pathStyle: z
        .boolean()
        .default(false)
        .describe("Address buckets as path (`http://host/bucket`) instead of as host name."),
    }),
    logs: z.strictObject({
      bucket: z.string().min(3).describe("Where reports and logs of runs are kept."),
    }),
    egress: z
      .array(Egress)
      .describe(
        "What pods of runs may reach outside their namespace: DNS and S3 at least. All else is denied.",
      ),
    limits: z
      .strictObject({
        pendingDeadline: Duration.default("10m").describe(
          "How long a pod may wait for a node, scale-up from zero included.",
        ),
        imageDeadline: Duration.default("5m").describe("How long a pod may fail to pull its image."),
        startDeadline: Duration.default("5m").describe(
          "From a pod's start to the driver's first sign of life.",
        ),
      })
      .prefault({}),
  })
  .check((context) => {
    const { pools, tenants, images } = context.value;
    const complain = (list: string, index: number, what: string): void => {
      if (index < 0) return;
      context.issues.push({
        code: "custom",
        input: context.value,
        path: [list, index],
        message: `${what} is there already`,
      });
    };
    complain(
      "pools",
      duplicate(pools, ({ name }) => name),
      "a pool of this name",
    );
    complain(
      "tenants",
      duplicate(tenants, ({ id }) => id),
      "a tenant of this id",
    );
    complain(
      "images",
      duplicate(images, ({ engine, version }) => `${engine} ${version}`),
      "an image for this version",
    );
  })
  .meta({ id: "EnvironmentConfig", title: "Mayfly environment" });
export type EnvironmentConfig = z.infer<typeof EnvironmentConfig>;

import { z } from "zod";
import { Egress } from "../contract.ts";
import { Duration } from "../primitives.ts";
import { EksCluster, ExistingCluster } from "./cluster.ts";
import { Buckets, Platform, Repositories, StorageClasses, Versions } from "./platform.ts";
import { EksPool, ExistingPool } from "./pools.ts";
import { Image, Tenant } from "./tenants.ts";
import { EksWorker, ExistingWorker } from "./worker.ts";

/** The config's own version. A change that makes an old config invalid gets a new one and a line in MIGRATIONS. */
export const CONFIG_VERSION = 2;

const Common = {
  version: z.literal(CONFIG_VERSION),
  class: z
    .enum(["production", "development", "lab"])
    .describe("What the environment is for; policies are stricter for production."),
  protect: z
    .boolean()
    .describe(
      "Whether what must not go by accident (network, cluster, key, buckets, repositories) refuses to be deleted.",
    ),
  platform: Platform,
  storageClasses: StorageClasses,
  tenants: z.array(Tenant).min(1),
  images: z.array(Image).min(1).describe("Engine images, one for each version on offer."),
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
};

/** An environment that makes its own cluster on AWS. */
export const EksEnvironment = z
  .strictObject({
    ...Common,
    cluster: EksCluster,
    pools: z.array(EksPool).min(1).describe("Nodes by instance type."),
    versions: Versions,
    buckets: Buckets.required(),
    repositories: Repositories,
    egress: z
      .array(Egress)
      .default([])
      .describe("What pods of runs may reach beside DNS, S3 and public HTTPS. All else is denied."),
    worker: EksWorker.optional().describe(
      "Mayfly's worker on this cluster: takes runs from a ledger. None where left out.",
    ),
  })
  .meta({ id: "EksEnvironment" });
export type EksEnvironment = z.infer<typeof EksEnvironment>;

/** An environment on a cluster that is there. */
export const ExistingEnvironment = z
  .strictObject({
    ...Common,
    cluster: ExistingCluster,
    pools: z.array(ExistingPool).min(1).describe("Nodes by instance type."),
    s3: z.strictObject({
      endpoint: z.url().describe("As pods reach it."),
      region: z.string().min(1),
      pathStyle: z
        .boolean()
        .default(false)
        .describe("Address buckets as path (`http://host/bucket`) instead of as host name."),
    }),
    buckets: Buckets,
    egress: z
      .array(Egress)
      .describe(
        "What pods of runs may reach outside their namespace: DNS and S3 at least. All else is denied.",
      ),
    kubernetesApi: Egress.optional().describe(
      "The Kubernetes API, as pods of streams with high availability reach it; needed where a tenant may have that.",
    ),
    worker: ExistingWorker.optional().describe(
      "Mayfly's worker on this cluster: takes runs from a ledger. None where left out.",
    ),
  })
  .meta({ id: "ExistingEnvironment" });
export type ExistingEnvironment = z.infer<typeof ExistingEnvironment>;

/**
 * The config of the environment project: what a platform engineer reviews. Each member is a Pulumi config key of project
 * `mayfly` (`mayfly:pools`), see Pulumi.lab.yaml and Pulumi.prod.yaml for whole ones. The two kinds are told apart by
 * `cluster.kind`; {@link isEks} narrows.
 */
export type EnvironmentConfig = EksEnvironment | ExistingEnvironment;

/** Whether the environment makes its own cluster. */
export const isEks = (config: EnvironmentConfig): config is EksEnvironment => config.cluster.kind === "eks";

/** What to change in a config of an older version, by that version; shown when such a config is met. */
export const MIGRATIONS: Readonly<Record<number, readonly string[]>> = {
  1: [
    "add mayfly:version: 2, mayfly:class (production, development or lab) and mayfly:protect (true or false)",
    "mayfly:pools[].instanceType: m7g.large becomes instanceTypes: [m7g.large]",
    "mayfly:pools[].maxNodesPerZone: 10 becomes nodesPerZone: {max: 10}",
    "mayfly:logs: {bucket: b} becomes mayfly:buckets: {logs: b}",
    "mayfly:platform says for calico, startupTaint, clusterAutoscaler and storage whether to install them: {install: true} or {install: false, because: why}",
  ],
};

export type { EksCluster } from "./cluster.ts";
export type { Platform } from "./platform.ts";
export type { EksPool, ExistingPool } from "./pools.ts";
export type { EksWorker, ExistingWorker } from "./worker.ts";

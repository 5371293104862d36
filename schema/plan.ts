import { z } from "zod";
import { Egress, Toleration } from "./contract.ts";
import { dnsLabel, Labels, Mib, Millicores, Seconds } from "./primitives.ts";

/** One line of the memory arithmetic, shown when a job does not fit. */
export const MemoryPart = z.strictObject({ what: z.string().min(1), mib: z.int().min(0) });
export type MemoryPart = z.infer<typeof MemoryPart>;

/** An environment variable whose value the pod reads from a Secret in the run's namespace. */
export const SecretEnv = z.strictObject({ env: z.string(), secret: dnsLabel(), key: z.string() });

/** Keys of a Secret in the run's namespace as files of those names in a folder of their own. */
export const SecretFiles = z.strictObject({
  secret: dnsLabel(),
  folder: z.string(),
  keys: z.array(z.string()).min(1),
});

/** A container, ready to be written down: requests equal limits. */
export const PlannedContainer = z.strictObject({
  name: dnsLabel(),
  cpu: Millicores,
  memory: Mib.describe("Limit and request; the sum of memoryParts."),
  memoryParts: z.array(MemoryPart).min(1),
  disk: Mib.describe(
    "Ephemeral storage, limit and request: 64 MiB for logs, and in a pod's main container (driver, worker) also its " +
      "emptyDirs: /tmp and scratch of kind emptyDir. The kubelet evicts a pod above the sum of its containers.",
  ),
  command: z.array(z.string()).min(1).describe("The whole argv; the image's entry point is not used."),
  env: Labels.describe(
    "Plain variables. `$(POD_IP)` and `$(POD_NAME)` are defined by the component before these.",
  ),
  secretEnv: z.array(SecretEnv),
  secretFiles: SecretFiles.optional().describe("A Secret that the container reads as files."),
  ports: z.array(z.strictObject({ name: dnsLabel(15), port: z.int().min(1).max(65_535) })),
});
export type PlannedContainer = z.infer<typeof PlannedContainer>;

/** The local disk of one pod. */
export const PlannedScratch = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("emptyDir"), size: Mib }),
  z.strictObject({ kind: z.literal("storageClass"), storageClass: dnsLabel(), size: Mib }),
]);
export type PlannedScratch = z.infer<typeof PlannedScratch>;

/** Where pods of one kind may run. */
export const Placement = z.strictObject({ nodeSelector: Labels, tolerations: z.array(Toleration) });
export type Placement = z.infer<typeof Placement>;

const Image = z.strictObject({
  reference: z.string(),
  pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]),
});

/** A service beside a stream: pods all alike behind one name, whose number an autoscaler decides. */
export const PlannedService = z.strictObject({
  name: dnsLabel(30).describe("Of its Service, hence the host name that the stream calls."),
  image: Image,
  container: PlannedContainer,
  port: z.int().min(1).max(65_535),
  readyPath: z.string().optional().describe("Answers once a pod can take calls; else its open port tells."),
  temporary: Mib.describe("Size of /tmp, the working folder."),
  placement: Placement,
  gracePeriod: Seconds,
  replicas: z.strictObject({
    min: z.int().min(1),
    max: z.int().min(1),
    calm: Seconds.describe("Before the autoscaler takes some away."),
  }),
  scaleOn: z
    .discriminatedUnion("kind", [
      z.strictObject({ kind: z.literal("cpu"), percent: z.int().min(1).max(100) }),
      z.strictObject({ kind: z.literal("metric"), name: z.string(), quantity: z.string() }),
    ])
    .optional()
    .describe("Without it there are as many as `min`, which is `max`, and no autoscaler."),
});
export type PlannedService = z.infer<typeof PlannedService>;

/** A price for a whole run per hour: an estimate, from the pool's share of a node. */
export const CostEstimate = z.strictObject({
  perHour: z.number().min(0),
  currency: z.string().length(3),
  asOf: z.iso.date(),
});

/** What the engine may do in the Kubernetes API, within its run's namespace. */
const KubernetesAccess = z.strictObject({
  folder: z.string().describe("Where pods have the token."),
  roles: z
    .strictObject({ coordinator: z.string().min(1), workers: z.string().min(1) })
    .describe("ClusterRoles that their accounts are bound to."),
  configMaps: z.int().min(1).describe("Config maps that the engine makes."),
  restarts: z
    .int()
    .min(1)
    .describe("How often Kubernetes starts the coordinator again before the run has failed."),
  api: Egress,
});
export type KubernetesAccess = z.infer<typeof KubernetesAccess>;

/** What the plans of all engines have. */
const Common = z.strictObject({
  apiVersion: z.literal("mayfly.dev/plan/v1"),
  version: z.string(),
  environment: dnsLabel(),
  tenant: dnsLabel(20),
  job: dnsLabel(40),
  run: dnsLabel(40),
  attempt: z.int().min(1),
  namespace: dnsLabel(63),
  stack: z.string().min(1).describe("Name of the Pulumi stack in project mayfly-job."),
  labels: Labels.describe(
    "On every object: app.kubernetes.io/* and mayfly.dev/tenant, /job, /run. The role is added per object.",
  ),
  image: Image,
  mounts: z.strictObject({
    config: z.string().describe("Folder with `files`."),
    authentication: z.string().describe("Folder with the run's secret as file `secret`."),
    scratch: z.string(),
    temporary: z.string(),
  }),
  files: Labels.describe("Name to content: the ConfigMap that every pod mounts."),
  coordinator: z.strictObject({
    name: dnsLabel(),
    sidecars: z
      .array(PlannedContainer)
      .describe("Init containers that stay: Spark's master. Flink has none."),
    driver: PlannedContainer.describe(
      "Its exit code is the run's: Spark's driver, or Flink's JobManager, in which the job's main method runs.",
    ),
    scratch: PlannedScratch,
    temporary: Mib.describe("Size of /tmp."),
    placement: Placement,
    gracePeriod: Seconds,
  }),
  workers: z.strictObject({
    name: dnsLabel(),
    count: z.int().min(1),
    container: PlannedContainer,
    scratch: PlannedScratch,
    temporary: Mib.describe("Size of /tmp."),
    placement: Placement,
    evictable: z
      .int()
      .min(1)
      .optional()
      .describe("How many of them drains of nodes may stop at a time; any number where left out."),
    gracePeriod: Seconds.describe(
      "Time to move shuffle blocks away, or to end tasks, when a node is drained.",
    ),
  }),
  services: z
    .array(PlannedService)
    .optional()
    .describe("Beside the run's own pods; the quota has room for the most of each."),
  kubernetes: KubernetesAccess.optional().describe(
    "Only where a job asked for it and its tenant may; else pods have no token and can't reach the API.",
  ),
  egress: z.array(Egress).describe("What pods may reach outside the namespace."),
  quota: z
    .strictObject({ cpu: Millicores, memory: Mib, scratch: Mib, pods: z.int().positive() })
    .describe(
      "The ResourceQuota: exactly the plan; scratch is the sum of every container's disk in every pod.",
    ),
  secrets: z
    .array(z.strictObject({ fromNamespace: dnsLabel(), name: dnsLabel() }))
    .describe("Secrets that the helper copies into the run's namespace, by name; never through Pulumi."),
  placed: z.strictObject({
    pool: dnsLabel(),
    instanceType: z.string(),
    zone: z.string(),
    spot: z.boolean(),
    coordinatorPool: dnsLabel()
      .optional()
      .describe("The coordinator's pool where it is not the workers': they run on spot capacity."),
  }),
  deadlines: z.strictObject({
    pending: Seconds,
    image: Seconds,
    start: Seconds,
    run: Seconds.optional().describe("None: the run goes on until somebody ends it."),
  }),
  output: z.strictObject({
    locations: z.array(z.string()),
    eventLog: z.string().optional().describe("Of Spark."),
  }),
  logs: z.strictObject({ bucket: z.string(), prefix: z.string() }),
  inputs: z.array(z.string()).describe("s3:// files that must exist before anything is made."),
  webIdentity: z
    .strictObject({ folder: z.string(), audience: z.string() })
    .optional()
    .describe(
      "Where driver and workers need a projected service account token, as file `token` in `folder`, to sign S3 requests.",
    ),
  cost: CostEstimate.optional(),
});

/**
 * The whole decision about one attempt of one run: names, sizes, files, placement. stacks/job maps it to resources without
 * adding a decision of its own; no secret value is in it.
 */
export const SparkPlan = Common.extend({
  engine: z.literal("spark"),
}).meta({ id: "SparkPlan" });
export type SparkPlan = z.infer<typeof SparkPlan>;

/** Where a stream's state is kept, in S3. */
const PlannedState = z.strictObject({
  checkpoints: z
    .string()
    .describe("Folder of this attempt; Flink puts random letters in place of its marker."),
  savepoints: z.string().describe("Folder of the job's savepoints, the same for all of its runs."),
});

/** What a stream starts from. */
const Restore = z.strictObject({
  location: z.string().startsWith("s3://"),
  kind: z.enum(["savepoint", "checkpoint"]),
  allowNonRestoredState: z
    .boolean()
    .describe("Start although there is state that the job has no operator for."),
});
export type Restore = z.infer<typeof Restore>;

/** Where Kubernetes keeps a JobManager alive: what its next container needs to go on. */
const PlannedHighAvailability = z.strictObject({
  storage: z.string().describe("Folder in S3 of this attempt: job graph and pointers to checkpoints."),
  clusterId: dnsLabel(40).describe("What names of the config maps begin with."),
});

/** The same for a run of Flink. */
export const FlinkPlan = Common.extend({
  engine: z.literal("flink"),
  kind: z.enum(["batch", "stream"]),
  jobId: z
    .string()
    .regex(/^[0-9a-f]{32}$/)
    .describe("Flink's own id of the job: another one for each attempt."),
  parallelism: z.int().min(1),
  state: PlannedState.optional().describe("Of a stream."),
  restore: Restore.optional().describe(
    "Of a stream: what this attempt starts from; from nothing where left out.",
  ),
  highAvailability: PlannedHighAvailability.optional().describe(
    "Where Kubernetes starts a lost JobManager again.",
  ),
}).meta({ id: "FlinkPlan" });
export type FlinkPlan = z.infer<typeof FlinkPlan>;

export const Plan = z
  .discriminatedUnion("engine", [SparkPlan, FlinkPlan])
  .meta({ id: "Plan", title: "Mayfly plan" });
export type Plan = z.infer<typeof Plan>;

/** What a job stack tells back. */
export const JobOutputs = z.strictObject({
  namespace: z.string(),
  coordinator: z.string(),
  workers: z.string(),
});
export type JobOutputs = z.infer<typeof JobOutputs>;

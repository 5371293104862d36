import { z } from "zod";
import { FlinkBatch, FlinkStream } from "./flink.ts";
import { CodeUrl, Cpu, Duration, dnsLabel, JavaClass, Memory, S3Url } from "./primitives.ts";
import { ServiceClass } from "./service.ts";

const Python = z.strictObject({
  kind: z.literal("python"),
  file: CodeUrl.describe("The script to run."),
  pyFiles: z
    .array(CodeUrl)
    .default([])
    .describe("Further .py, .zip or .egg files for PYTHONPATH (spark.submit.pyFiles)."),
});

const Jar = z.strictObject({
  kind: z.literal("jar"),
  file: CodeUrl.describe("The application jar."),
  mainClass: JavaClass.describe("Fully qualified class with the main method."),
  jars: z.array(CodeUrl).default([]).describe("Further jars for the class path (spark.jars)."),
});

const Application = z
  .discriminatedUnion("kind", [Python, Jar], "kind must be python or jar")
  .describe("The customer's code.");

const Overhead = Memory.optional().describe(
  "Memory beside the heap (JVM native memory, Python processes). Computed by Spark's own rule where left out: " +
    "10 % of the memory (40 % for Python), at least 384Mi.",
);

const Driver = z.strictObject({
  cores: z.int().min(1).max(128).default(1).describe("Threads the driver may use (spark.driver.cores)."),
  cpu: Cpu.optional().describe("CPU request and limit; `cores` whole cores where left out."),
  memory: Memory.default("1Gi").describe("The driver's heap (spark.driver.memory). Overhead comes on top."),
  overhead: Overhead,
});

const Workers = z.strictObject({
  count: z.int().min(1).max(1000).describe("Number of worker pods; each runs one executor."),
  cores: z
    .int()
    .min(1)
    .max(128)
    .default(1)
    .describe("Tasks an executor runs at once (spark.executor.cores)."),
  cpu: Cpu.optional().describe("CPU request and limit of a worker pod; `cores` whole cores where left out."),
  memory: Memory.default("1Gi").describe(
    "An executor's heap (spark.executor.memory). Overhead comes on top.",
  ),
  overhead: Overhead,
  offHeap: Memory.optional().describe("Off-heap memory of an executor (spark.memory.offHeap.size)."),
  pythonMemory: Memory.optional().describe(
    "Limit of an executor's Python processes (spark.executor.pyspark.memory).",
  ),
});

const Scratch = z
  .discriminatedUnion(
    "kind",
    [
      z.strictObject({
        kind: z.literal("emptyDir"),
        size: Memory.describe("Size limit per pod; a pod that passes it is evicted."),
      }),
      z.strictObject({
        kind: z.literal("storageClass"),
        storageClass: dnsLabel().describe("Storage class that the environment offers."),
        size: Memory.describe("Size of each pod's volume."),
      }),
    ],
    "kind must be emptyDir or storageClass",
  )
  .default({ kind: "emptyDir", size: "2Gi" })
  .describe("Local disk of each pod for shuffle, spill and the S3 committer's buffers.");

const budget = (initial: number, what: string) => z.int().min(0).max(10).default(initial).describe(what);

const RETRIES = {
  user: budget(0, "Further attempts after the application failed."),
  outOfMemory: budget(0, "Further attempts after a container ran out of memory."),
  infrastructure: budget(2, "Further attempts after a node, pod or image was lost."),
  memoryFactor: z
    .number()
    .min(1)
    .max(4)
    .default(1)
    .describe(
      "How many times more memory a further attempt gets for the driver, or the workers, that ran out of it: 1.5 makes 2Gi 3Gi, then 4.5Gi. " +
        "As far as quota and nodes allow; 1 for no more.",
    ),
};

const RETRIES_FOR = "How often a run is tried again, by class of failure.";
const Retries = z.strictObject(RETRIES).prefault({}).describe(RETRIES_FOR);

const StreamRetries = z
  .strictObject({
    ...RETRIES,
    steady: Duration.default("10m").describe(
      "A stream that ran so long without a failure may fail as often again: it lives for months.",
    ),
  })
  .prefault({})
  .describe(RETRIES_FOR);

const SecretReference = z.strictObject({
  env: z
    .string()
    .regex(/^[A-Z_][A-Z0-9_]*$/, "must be an environment variable name in capitals such as DB_PASSWORD")
    .describe("Environment variable of driver and workers that will hold the value."),
  secret: dnsLabel().describe("Name of a Secret in the tenant's namespace."),
  key: z.string().min(1).describe("Key in that Secret."),
});

const Locations = z.array(S3Url).default([]).describe("Where the application writes; named in the report.");

const Common = z.strictObject({
  apiVersion: z.literal("mayfly.dev/v1").describe("Version of this document's form."),
  name: dnsLabel(40).describe("The job's name; runs, namespaces and reports carry it."),
  tenant: dnsLabel(20).describe("The tenant that the job belongs to; must be known to the environment."),
  image: z
    .string()
    .regex(/^\S+$/, "must be an image reference such as registry.example/team/spark:4.0.1")
    .optional()
    .describe("Image to run instead of the environment's own for this version; build it from that one."),
  arguments: z.array(z.string()).default([]).describe("Arguments of the application."),
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, "must be an environment variable name"), z.string())
    .default({})
    .describe("Plain environment variables of driver and workers. No secrets: use `secrets`."),
  secrets: z
    .array(SecretReference)
    .default([])
    .describe("Secrets by reference; the values never pass through Mayfly's state."),
  scratch: Scratch,
  deadline: Duration.default("1h").describe(
    "The run is stopped and destroyed after this time, whatever it does.",
  ),
  retries: Retries,
  placement: z
    .strictObject({
      pool: dnsLabel().optional().describe("Pool of nodes; the smallest that fits where left out."),
      zone: z
        .string()
        .min(1)
        .optional()
        .describe("Availability zone; chosen by Mayfly where left out. A run never spans zones."),
    })
    .prefault({}),
  serviceLevel: z
    .strictObject({
      class: ServiceClass.default("standard").describe(
        "How soon a submitted run leaves the queue: urgent before standard before batch, as far as the tenant may.",
      ),
      spot: z
        .enum(["never", "workers"])
        .default("never")
        .describe("Whether workers may run on spot capacity. Drivers never do."),
    })
    .prefault({}),
  output: z.strictObject({ locations: Locations }).prefault({}),
});

/** A Spark job. */
export const SparkJob = Common.extend({
  engine: z.literal("spark"),
  version: z
    .string("must be text: put the version in quotes")
    .regex(/^\d+\.\d+(\.\d+)?$/, 'must be a version such as "4.0" or "4.0.1"')
    .describe('Spark version: "4.0.1", or "4.0" for the newest of that line that the environment has.'),
  application: Application,
  conf: z
    .record(
      z.string().regex(/^spark\.[\w.-]+$/, "must be a Spark property, spark.*"),
      z.string("must be text: put the value in quotes"),
    )
    .default({})
    .describe(
      "Further Spark properties. Those that Mayfly computes (sizes, ports, addresses, authentication) are refused here.",
    ),
  files: z
    .array(CodeUrl)
    .default([])
    .describe("Files put into each worker's and the driver's working folder (spark.files)."),
  output: z
    .strictObject({
      locations: Locations,
      eventLog: S3Url.optional().describe(
        "Where Spark's event log goes, so that its UI outlives the cluster.",
      ),
    })
    .prefault({}),
  driver: Driver.prefault({}).describe("The driver: one process, on on-demand capacity."),
  workers: Workers.describe("The worker pods, all alike: count, and the size of each."),
}).meta({ id: "SparkJob" });
export type SparkJob = z.infer<typeof SparkJob>;

/** A Flink job that ends by itself. */
export const FlinkBatchJob = Common.extend(FlinkBatch).meta({ id: "FlinkBatchJob" });
export type FlinkBatchJob = z.infer<typeof FlinkBatchJob>;

/** A Flink job without an end. */
export const FlinkStreamJob = Common.extend({
  ...FlinkStream,
  deadline: z
    .never("a stream has no deadline: it goes on until it is suspended or cancelled. Leave it out")
    .optional()
    .describe("A stream has none: it goes on until it is suspended or cancelled."),
  retries: StreamRetries,
}).meta({ id: "FlinkStreamJob" });
export type FlinkStreamJob = z.infer<typeof FlinkStreamJob>;

/** A Flink job, discriminated by `kind`. */
export const FlinkJob = z.discriminatedUnion(
  "kind",
  [FlinkBatchJob, FlinkStreamJob],
  "kind must be batch or stream",
);
export type FlinkJob = z.infer<typeof FlinkJob>;

/** A job spec: one document per job, YAML or JSON, discriminated by `engine`. */
export const JobSpec = z
  .discriminatedUnion("engine", [SparkJob, FlinkJob], "engine must be spark or flink")
  .meta({ id: "JobSpec", title: "Mayfly job" });
export type JobSpec = z.infer<typeof JobSpec>;

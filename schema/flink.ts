import { z } from "zod";
import { CodeUrl, Cpu, Duration, JavaClass, Memory, S3Folder, S3Url } from "./primitives.ts";
import { Services } from "./services.ts";

const Jar = z.strictObject({
  kind: z.literal("jar"),
  file: CodeUrl.describe("The job jar."),
  mainClass: JavaClass.describe("Fully qualified class with the main method."),
  jars: z.array(CodeUrl).default([]).describe("Further jars for the job's class path."),
});

const Python = z.strictObject({
  kind: z.literal("python"),
  file: CodeUrl.describe("The script to run."),
  pyFiles: z.array(CodeUrl).default([]).describe("Further .py, .zip or .egg files for PYTHONPATH."),
});

const Application = z
  .discriminatedUnion("kind", [Jar, Python], "kind must be jar or python")
  .describe("The customer's code. Its main method runs in the JobManager.");

const Metaspace = Memory.default("256Mi").describe("Class metadata of the JVM (jvm-metaspace.size).");

const JobManager = z.strictObject({
  cpu: Cpu.default("1").describe("CPU request and limit."),
  memory: Memory.default("1600Mi").describe(
    "The whole container (jobmanager.memory.process.size); its heap is what Flink's own rules leave of it.",
  ),
  metaspace: Metaspace,
  offHeap: Memory.default("128Mi").describe("Off-heap memory (jobmanager.memory.off-heap.size)."),
});

const share = (initial: number, what: string) => z.number().min(0).max(0.9).default(initial).describe(what);

const TaskManagers = z.strictObject({
  count: z.int().min(1).max(1000).describe("Number of TaskManager pods."),
  slots: z
    .int()
    .min(1)
    .max(128)
    .default(1)
    .describe("Task slots of each (taskmanager.numberOfTaskSlots): parallel tasks that share its memory."),
  cpu: Cpu.optional().describe("CPU request and limit of a pod; `slots` whole cores where left out."),
  memory: Memory.default("1728Mi").describe(
    "The whole container (taskmanager.memory.process.size), from which Flink's own rules make the parts.",
  ),
  managed: share(
    0.4,
    "Share of Flink's memory for RocksDB, sorting, hash tables and Python (taskmanager.memory.managed.fraction).",
  ),
  network: share(0.1, "Share of Flink's memory for network buffers (taskmanager.memory.network.fraction)."),
  offHeap: Memory.optional().describe(
    "Off-heap memory that the job itself uses (taskmanager.memory.task.off-heap.size); none where left out.",
  ),
  metaspace: Metaspace,
});

const State = z
  .discriminatedUnion(
    "backend",
    [
      z.strictObject({ backend: z.literal("hashmap").describe("State as objects on the heap.") }),
      z.strictObject({
        backend: z.literal("rocksdb").describe("State in RocksDB: in managed memory and on local disk."),
        disk: Memory.describe("Local disk of each TaskManager for it; comes on top of scratch."),
        incremental: z
          .boolean()
          .default(true)
          .describe("Checkpoints write only what changed since the one before."),
      }),
    ],
    "backend must be hashmap or rocksdb",
  )
  .default({ backend: "hashmap" })
  .describe("Where the state of tasks is while they run.");

const Checkpoints = z.strictObject({
  location: S3Folder.describe(
    "Folder for checkpoints and savepoints; the run's own folders are made below it.",
  ),
  interval: Duration.default("1m").describe("Time from the start of one checkpoint to that of the next."),
  timeout: Duration.default("10m").describe("A checkpoint that takes longer has failed."),
  minPause: Duration.optional().describe("Least time from the end of one to the start of the next."),
  retained: z.int().min(1).max(100).default(3).describe("Completed checkpoints to keep."),
  tolerableFailures: z
    .int()
    .min(0)
    .max(1000)
    .default(0)
    .describe("Failed checkpoints in a row before the job is restarted."),
  unaligned: z
    .boolean()
    .default(false)
    .describe("Let barriers overtake records: quicker under backpressure, larger checkpoints."),
});

const Restart = z
  .discriminatedUnion(
    "strategy",
    [
      z.strictObject({ strategy: z.literal("none") }),
      z.strictObject({
        strategy: z.literal("fixed-delay"),
        attempts: z.int().min(1).max(1000).default(3).describe("Restarts before the job has failed."),
        delay: Duration.default("5s").describe("Pause before a restart."),
      }),
      z.strictObject({
        strategy: z.literal("failure-rate"),
        failures: z.int().min(1).max(1000).default(3).describe("Most failures in `interval`."),
        interval: Duration.default("5m").describe("The time in which failures are counted."),
        delay: Duration.default("5s").describe("Pause before a restart."),
      }),
      z.strictObject({
        strategy: z.literal("exponential-delay"),
        initial: Duration.default("1s").describe("Pause before the first restart."),
        maximum: Duration.default("1m").describe("The longest pause: each is longer than the one before."),
        resetAfter: Duration.default("1h").describe(
          "Without a failure for so long, the delay is `initial` again.",
        ),
      }),
    ],
    "strategy must be none, fixed-delay, failure-rate or exponential-delay",
  )
  .describe("What Flink does about a failed task before the job counts as failed.");

const From = z.strictObject({
  savepoint: S3Url.describe("Savepoint or retained checkpoint to start from."),
  allowNonRestoredState: z
    .boolean()
    .default(false)
    .describe(
      "Start although the savepoint has state that the job has no operator for; that state is dropped.",
    ),
});

const Savepoints = z
  .strictObject({
    every: Duration.optional().describe(
      "Time from one savepoint that Mayfly asks for by itself to the next; none where left out.",
    ),
    keep: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe(
        "Newest savepoints to keep. Older ones are deleted, but never one that a live run started from, nor one by which the stream was suspended last.",
      ),
  })
  .prefault({})
  .describe("Savepoints beside those that suspend and upgrade make.");

/** What all Flink jobs have beside the fields of every job. */
const FLINK = {
  engine: z.literal("flink"),
  version: z
    .string("must be text: put the version in quotes")
    .regex(/^\d+\.\d+(\.\d+)?$/, 'must be a version such as "2.3" or "2.3.0"')
    .describe('Flink version: "2.3.0", or "2.3" for the newest of that line that the environment has.'),
  application: Application,
  parallelism: z
    .int()
    .min(1)
    .max(32_768)
    .optional()
    .describe("Parallel tasks of each operator; all slots (taskManagers.count × slots) where left out."),
  jobManager: JobManager.prefault({}).describe(
    "The JobManager: one process, on on-demand capacity. The job's main method runs in it.",
  ),
  taskManagers: TaskManagers.describe("The TaskManager pods, all alike: count, and the size of each."),
  conf: z
    .record(
      z.string().regex(/^[a-z0-9][\w.-]*$/i, "must be a key of Flink's configuration"),
      z.string("must be text: put the value in quotes"),
    )
    .default({})
    .describe(
      "Further settings of Flink. Those that Mayfly computes (sizes, ports, addresses, state) are refused here.",
    ),
};

/** A job that ends by itself. */
export const FlinkBatch = {
  ...FLINK,
  kind: z.literal("batch").describe("A job that ends when its input does."),
  restart: Restart.default({ strategy: "none" }),
};

/** A job without an end. */
export const FlinkStream = {
  ...FLINK,
  kind: z.literal("stream").describe("A job without an end."),
  state: State,
  checkpoints: Checkpoints.describe(
    "Copies of the state in S3, from which a stream goes on after a failure.",
  ),
  restart: Restart.default({
    strategy: "exponential-delay",
    initial: "1s",
    maximum: "1m",
    resetAfter: "1h",
  }),
  maxParallelism: z
    .int()
    .min(1)
    .max(32_768)
    .optional()
    .describe("The most that parallelism can ever be raised to; fixed by the first savepoint."),
  from: From.optional().describe("State to start with; none where left out."),
  savepoints: Savepoints,
  services: Services,
  highAvailability: z
    .enum(["none", "kubernetes"])
    .default("none")
    .describe(
      "Who starts a lost JobManager again: Mayfly, as a further attempt on a new cluster (none), or Kubernetes in the same one. " +
        "For that the JobManager, and with it the job's own code, gets a token that may change config maps of its run; the tenant must be allowed to.",
    ),
  upgrade: z
    .enum(["savepoint", "last-state", "stateless"])
    .default("savepoint")
    .describe(
      "What a new version of the job goes on from: a savepoint made for it, the newest retained checkpoint, or nothing.",
    ),
};

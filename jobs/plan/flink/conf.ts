import { insteadOf, type ReservedKeys, refuseKeys, refuseOptions } from "../conf.ts";

/** Settings that Mayfly computes or that have no meaning in its clusters, and what to use instead. First match counts. */
const RESERVED: readonly ReservedKeys[] = [
  { pattern: /^taskmanager\.memory\.managed\.(fraction|size)$/, instead: "taskManagers.managed" },
  { pattern: /^taskmanager\.memory\.network\.(fraction|min|max)$/, instead: "taskManagers.network" },
  { pattern: /^taskmanager\.memory\.task\.off-heap\.size$/, instead: "taskManagers.offHeap" },
  { pattern: /^taskmanager\.memory\.jvm-metaspace\.size$/, instead: "taskManagers.metaspace" },
  {
    pattern: /^taskmanager\.memory\.(process|flink|task|framework|jvm-overhead)\./,
    instead: "taskManagers.memory",
  },
  { pattern: /^taskmanager\.cpu\.cores$/, instead: "taskManagers.cpu" },
  { pattern: /^taskmanager\.numberOfTaskSlots$/, instead: "taskManagers.slots" },
  { pattern: /^jobmanager\.memory\.off-heap\.size$/, instead: "jobManager.offHeap" },
  { pattern: /^jobmanager\.memory\.jvm-metaspace\.size$/, instead: "jobManager.metaspace" },
  { pattern: /^jobmanager\.memory\./, instead: "jobManager.memory" },
  { pattern: /^parallelism\.default$/, instead: "parallelism" },
  { pattern: /^pipeline\.max-parallelism$/, instead: "maxParallelism" },
  { pattern: /^pipeline\.name$/, instead: "name" },
  { pattern: /^pipeline\.(jars|classpaths)$/, instead: "application.jars" },
  { pattern: /^execution\.runtime-mode$/, instead: "kind" },
  {
    pattern: /^(state\.backend|state\.backend\.(type|incremental)|execution\.checkpointing\.incremental)$/,
    instead: "state",
  },
  { pattern: /^state\.backend\.rocksdb\.localdir$/, instead: "state.disk" },
  {
    pattern:
      /^(execution\.checkpointing\.(interval|timeout|min-pause|mode|dir|savepoint-dir|num-retained|storage|unaligned\.enabled|unaligned|tolerable-failed-checkpoints|externalized-checkpoint-retention)|state\.(checkpoints|savepoints)\..+|state\.checkpoint-storage)$/,
    instead: "checkpoints",
  },
  { pattern: /^execution\.(state-recovery|savepoint)\./, instead: "from" },
  { pattern: /^restart-strategy(\.|$)/, instead: "restart" },
  { pattern: /^(s3|s3a|fs\.s3a?)\.(access|secret|session)[.-]/, instead: "the tenant's own identity" },
  {
    pattern:
      /^(s3|s3a|fs\.s3a?)\.(endpoint|endpoint\.region|path\.style\.access|path-style-access|aws\.credentials\.provider|entropy\..+)$/,
    instead: "the environment's S3 settings",
  },
  {
    pattern: /^(containerized\.(master|taskmanager)\.env|env\.(?!java\.opts))\b/,
    instead: "environment or secrets",
  },
  {
    pattern:
      /^(high-availability|kubernetes|yarn|zookeeper|security|rest|web|historyserver|user\.artifacts|job-result-store|cluster|blob|akka|pekko|plugin)(\.|$)/,
    instead: undefined,
  },
  {
    pattern:
      /^(jobmanager\.(rpc\..+|bind-host|retrieve-taskmanager-hostname|execution\.failover-strategy|scheduler|adaptive-scheduler\..+)|scheduler-mode|taskmanager\.(host|bind-host|rpc\..+|data\.(port|bind-port)|collect-sink\.port|resource-id|jvm-exit-on-oom|registration\.timeout)|slot\.request\.timeout|io\.tmp\.dirs|process\.(working-dir|jobmanager\.working-dir|taskmanager\.working-dir)|metrics\.(internal\.query-service\.port|reporters|reporter\.prom\..+)|execution\.(target|attached|shutdown-on-application-finish|submit-failed-job-on-application-error)|\$internal\..+)$/,
    instead: undefined,
  },
];

/** What to do instead of setting a key with `conf`; undefined where a job may set it. */
export const reservedSetting = (key: string): string | undefined => insteadOf(RESERVED, key);

/** Keys of JVM options, and those that would contradict the plan. */
const OPTIONS = /^env\.java\.(opts|default-opts)\./;
const TAKEN_OPTIONS = ["env.java.opts.jobmanager", "env.java.opts.taskmanager", "env.java.opts.all"];
const RESERVED_OPTION =
  /^(-Xmx|-Xms|-cp$|-classpath$|--class-path|-XX:Max(Direct|Metaspace)|-XX:ActiveProcessorCount|@)/;

/** JVM options of a role from the job's `conf`. */
export const jvmOptions = (
  conf: Readonly<Record<string, string>>,
  role: "jobmanager" | "taskmanager",
): string[] =>
  [conf["env.java.opts.all"], conf[`env.java.opts.${role}`]].flatMap((text) =>
    (text ?? "").split(/\s+/).filter((word) => word !== ""),
  );

/** A job's `conf` less what is no setting of Flink's processes: JVM options are in their commands. */
export const ownSettings = (conf: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(conf).filter(([key]) => !key.startsWith("env.java.")));

/** Refuses a job's `conf` that names computed settings, all of them at once. */
export function checkConf(conf: Readonly<Record<string, string>>): void {
  refuseKeys(conf, (key) =>
    OPTIONS.test(key) && !TAKEN_OPTIONS.includes(key)
      ? `Instead of ${key} use ${TAKEN_OPTIONS.join(", ")}.`
      : reservedSetting(key),
  );
  refuseOptions(conf, TAKEN_OPTIONS, {
    split: (text) => text.split(/\s+/),
    reserved: RESERVED_OPTION,
    hint: "Heaps come from jobManager.memory and taskManagers.memory; the class path from application.jars.",
  });
}

import type { FlinkJob } from "../../../schema/job.ts";
import type { FlinkPlan, Restore } from "../../../schema/plan.ts";
import { literal } from "../text.ts";
import { jvmOptions } from "./conf.ts";
import { IMAGE, MOUNTS, SCRATCH } from "./layout.ts";
import type { JobManagerMemory, TaskManagerMemory } from "./memory.ts";

/** tini reaps what user code leaves behind and passes SIGTERM on. */
const under = (java: readonly string[]): string[] => [
  IMAGE.init,
  "--",
  IMAGE.shell,
  `${MOUNTS.config}/start.sh`,
  "java",
  ...java,
];

/** Flags that both roles have. @param cpu Millicores. */
const flags = (
  role: "jobmanager" | "taskmanager",
  heapMib: number,
  metaspaceMib: number,
  cpu: number,
  conf: FlinkJob["conf"],
): string[] => [
  `@${IMAGE.arguments(role)}`,
  `-Xmx${heapMib}m`,
  `-Xms${heapMib}m`,
  `-XX:MaxMetaspaceSize=${metaspaceMib}m`,
  `-XX:ActiveProcessorCount=${Math.max(1, Math.ceil(cpu / 1000))}`,
  "-XX:+ExitOnOutOfMemoryError",
  `-Dlog4j2.configurationFile=${MOUNTS.config}/log4j2.properties`,
  `-Djava.io.tmpdir=${SCRATCH.temporary}`,
  ...jvmOptions(conf, role).map(literal),
];

/** Flink's command line takes everything behind `--` as the application's own, whatever it looks like. */
const application = ({ application: of, arguments: given }: FlinkJob): string[] => {
  const own = given.map(literal);
  switch (of.kind) {
    case "jar":
      // What follows the jars is taken for another one, unless it is an option.
      return [
        ...["--jars", literal(of.file), ...of.jars.map(literal)],
        ...["--job-classname", literal(of.mainClass), "--", ...own],
      ];
    case "python":
      return [
        ...["--job-classname", "org.apache.flink.client.python.PythonDriver", "--"],
        ...["--python", literal(of.file)],
        ...(of.pyFiles.length === 0 ? [] : ["--pyFiles", of.pyFiles.map(literal).join(",")]),
        ...own,
      ];
  }
};

/** State to start from. */
const from = (restore: Restore | undefined): string[] =>
  restore === undefined
    ? []
    : [
        ...["--fromSavepoint", literal(restore.location)],
        ...(restore.allowNonRestoredState ? ["--allowNonRestoredState"] : []),
      ];

/** Who the job is, and what it starts from. */
export type JobManagerState = Pick<FlinkPlan, "jobId" | "restore">;

/**
 * The JobManager in application mode as Flink's standalone-job.sh starts it, without the shell scripts and the JVM that reads the
 * configuration first. The job's main method runs in it; it ends with the job: 0 when it has finished.
 * @param cpu Millicores.
 */
export const jobManagerCommand = (
  spec: FlinkJob,
  memory: JobManagerMemory,
  cpu: number,
  { jobId, restore }: JobManagerState,
): string[] =>
  under([
    ...flags("jobmanager", memory.heapMib, memory.metaspaceMib, cpu, spec.conf),
    "org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint",
    ...["--configDir", MOUNTS.config, "--job-id", jobId],
    ...from(restore),
    ...application(spec),
  ]);

/** A TaskManager, at the pod's own address. @param cpu Millicores. */
export const taskManagerCommand = (spec: FlinkJob, memory: TaskManagerMemory, cpu: number): string[] =>
  under([
    ...flags(
      "taskmanager",
      memory.frameworkHeapMib + memory.taskHeapMib,
      memory.metaspaceMib,
      cpu,
      spec.conf,
    ),
    `-XX:MaxDirectMemorySize=${memory.frameworkOffHeapMib + memory.taskOffHeapMib + memory.networkMib}m`,
    "org.apache.flink.runtime.taskexecutor.TaskManagerRunner",
    ...["--configDir", MOUNTS.config],
    ...["-D", "taskmanager.host=$(POD_IP)", "-D", "taskmanager.resource-id=$(POD_NAME)"],
  ]);

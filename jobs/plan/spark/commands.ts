import type { SparkJob } from "../../../schema/job.ts";
import type { DaemonMemory } from "../memory.ts";
import { literal } from "../text.ts";
import { splitOptions } from "./conf.ts";
import { ARCHIVE_FLAGS, COORDINATOR, IMAGE, MOUNTS, PORTS, SCRATCH } from "./layout.ts";
import { settingsFile } from "./scripts.ts";

/** tini reaps what Spark's children leave behind and passes SIGTERM on, which the shell as first process would not. */
const under = (script: string, java: readonly string[]): string[] => [
  IMAGE.init,
  "--",
  IMAGE.shell,
  `${MOUNTS.config}/${script}`,
  "java",
  ...java,
];

const LOG4J = `-Dlog4j2.configurationFile=${MOUNTS.config}/log4j2.properties`;

/** The image's own argument files choose the small collector and compiler for daemons. */
const daemonFlags = (role: "master" | "worker", memory: DaemonMemory): string[] => [
  `@${IMAGE.arguments(role)}`,
  ...ARCHIVE_FLAGS,
  `-Xmx${memory.heapMib}m`,
  "-Xss512k",
  "-XX:MaxMetaspaceSize=80m",
  "-XX:ReservedCodeCacheSize=32m",
  `-XX:MaxDirectMemorySize=${Math.floor(memory.nativeMib / 4)}m`,
  // Netty keeps a pool per core of the *node* otherwise: https://netty.io/4.1/api/io/netty/buffer/PooledByteBufAllocator.html
  "-XX:ActiveProcessorCount=1",
  "-XX:+ExitOnOutOfMemoryError",
  LOG4J,
];

/** The master, at the pod's own address. */
export const masterCommand = (memory: DaemonMemory): string[] =>
  under("master.sh", [
    ...daemonFlags("master", memory),
    "org.apache.spark.deploy.master.Master",
    ...["--host", "$(POD_IP)", "--port", String(PORTS.master), "--webui-port", String(PORTS.masterUi)],
    ...["--properties-file", settingsFile("master")],
  ]);

/**
 * The driver as spark-submit starts it, without the extra JVM and the shell scripts before it. A driver out of heap ends at once
 * with exit code 3 instead of half living on.
 */
export function driverCommand(spec: SparkJob, heapMib: number): string[] {
  const { application, conf } = spec;
  return under("driver.sh", [
    `@${IMAGE.arguments("driver")}`,
    ...ARCHIVE_FLAGS,
    `-Xmx${heapMib}m`,
    `-XX:ActiveProcessorCount=${spec.driver.cores}`,
    "-XX:+ExitOnOutOfMemoryError",
    LOG4J,
    `-Djava.io.tmpdir=${SCRATCH.temporary}`,
    ...splitOptions(conf["spark.driver.extraJavaOptions"] ?? "").map(literal),
    "org.apache.spark.deploy.SparkSubmit",
    ...["--properties-file", settingsFile("driver")],
    ...["--master", `spark://$(POD_IP):${PORTS.master}`],
    ...["--conf", "spark.driver.host=$(POD_IP)"],
    ...(application.kind === "jar" ? ["--class", literal(application.mainClass)] : []),
    literal(application.file),
    ...spec.arguments.map(literal),
  ]);
}

/** The worker daemon, which offers exactly one executor. */
export const workerCommand = (spec: SparkJob, memory: DaemonMemory, executorMib: number): string[] =>
  under("worker.sh", [
    ...daemonFlags("worker", memory),
    "org.apache.spark.deploy.worker.Worker",
    ...["--host", "$(POD_IP)", "--port", String(PORTS.worker), "--webui-port", String(PORTS.workerUi)],
    ...["--cores", String(spec.workers.cores), "--memory", `${executorMib}M`],
    ...["--work-dir", SCRATCH.work, "--properties-file", settingsFile("worker")],
    `spark://${COORDINATOR}:${PORTS.master}`,
  ]);

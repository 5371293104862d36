import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { SparkJob } from "../../../schema/job.ts";
import { ARCHIVE_FLAGS, IMAGE, MOUNTS, PORTS, SCRATCH } from "./layout.ts";
import { s3Defaults, s3Properties, usesS3 } from "./s3.ts";

/**
 * Every connection inside the cluster proves the run's secret and is encrypted, with the newer handshake and without its weak
 * fall-back: https://spark.apache.org/docs/latest/security.html
 */
const authentication: Readonly<Record<string, string>> = {
  "spark.authenticate": "true",
  "spark.network.crypto.enabled": "true",
  "spark.network.crypto.authEngineVersion": "2",
  "spark.network.crypto.saslFallback": "false",
};

/** A worker that is told to stop moves its cached and shuffle blocks to others first. */
const decommission: Readonly<Record<string, string>> = {
  "spark.decommission.enabled": "true",
  "spark.storage.decommission.enabled": "true",
};

const common: Readonly<Record<string, string>> = {
  ...authentication,
  ...decommission,
  // A port that is taken is an error, not a reason to take one that the network policy does not know.
  "spark.port.maxRetries": "0",
  "spark.ui.killEnabled": "false",
};

/** Settings of the master. Its REST door for submissions has no authentication. */
export const masterProperties = (): Record<string, string> => ({
  ...common,
  "spark.master.rest.enabled": "false",
});

/** Settings of the worker daemon. */
export const workerProperties = (): Record<string, string> => ({
  ...common,
  // A run has one application, whose folders go with the pod.
  "spark.worker.cleanup.enabled": "false",
});

/** What the application's own settings may change. */
const defaults: Readonly<Record<string, string>> = {
  "spark.ui.prometheus.enabled": "true",
  "spark.ui.showConsoleProgress": "false",
  // An executor that has moved all its blocks notices in half a minute by default, of the two that spot capacity gives.
  "spark.storage.decommission.replicationReattemptInterval": "5s",
};

/** Sizes of an executor in MiB. */
export interface ExecutorSize {
  readonly heapMib: number;
  readonly offHeapMib: number | undefined;
  readonly pythonMib: number | undefined;
}

const optionalWord = (text: string | undefined): string[] => (text === undefined ? [] : [text]);

/** As extra options, not default ones: Spark repeats those three times in the executor's command. */
const executorOptions = (spec: SparkJob): string =>
  [
    `@${IMAGE.arguments("executor")}`,
    ...ARCHIVE_FLAGS,
    `-XX:ActiveProcessorCount=${spec.workers.cores}`,
    `-Dlog4j2.configurationFile=${MOUNTS.config}/log4j2.properties`,
    `-Djava.io.tmpdir=${SCRATCH.temporary}`,
    ...optionalWord(spec.conf["spark.executor.extraJavaOptions"]),
  ].join(" ");

/** The driver's JVM runs already when Spark reads its settings: its options are in the command. */
const withoutDriverOptions = (conf: SparkJob["conf"]): Record<string, string> =>
  Object.fromEntries(Object.entries(conf).filter(([key]) => key !== "spark.driver.extraJavaOptions"));

const optional = (key: string, value: string | undefined): Record<string, string> =>
  value === undefined || value === "" ? {} : { [key]: value };

/** Settings of the application: driver and executors. The secret and the driver's address come at the pod's start. */
export function driverProperties(
  spec: SparkJob,
  version: string,
  contract: EnvironmentContract,
  tenant: Tenant,
  sizes: { readonly driverHeapMib: number; readonly executor: ExecutorSize },
): Record<string, string> {
  const { application, workers, output } = spec;
  const { executor } = sizes;
  const s3 = usesS3(spec);
  return {
    ...defaults,
    ...(s3 ? s3Defaults(version) : {}),
    ...withoutDriverOptions(spec.conf),
    ...common,
    "spark.app.name": spec.name,
    "spark.submit.deployMode": "client",
    "spark.driver.memory": `${sizes.driverHeapMib}m`,
    "spark.driver.cores": String(spec.driver.cores),
    "spark.driver.port": String(PORTS.driver),
    "spark.driver.blockManager.port": String(PORTS.blockManager),
    "spark.blockManager.port": String(PORTS.blockManager),
    "spark.ui.port": String(PORTS.driverUi),
    "spark.executor.instances": String(workers.count),
    "spark.executor.cores": String(workers.cores),
    "spark.cores.max": String(workers.count * workers.cores),
    "spark.executor.memory": `${executor.heapMib}m`,
    "spark.executor.extraJavaOptions": executorOptions(spec),
    ...optional("spark.memory.offHeap.enabled", executor.offHeapMib === undefined ? undefined : "true"),
    ...optional(
      "spark.memory.offHeap.size",
      executor.offHeapMib === undefined ? undefined : `${executor.offHeapMib}m`,
    ),
    ...optional(
      "spark.executor.pyspark.memory",
      executor.pythonMib === undefined ? undefined : `${executor.pythonMib}m`,
    ),
    ...(application.kind === "python"
      ? {
          "spark.pyspark.python": IMAGE.python,
          "spark.pyspark.driver.python": IMAGE.python,
          // Tells a Python worker that crashed from one that the kernel killed for its memory (jobs/watch/memory.ts).
          "spark.python.worker.faulthandler.enabled": "true",
          "spark.sql.execution.pyspark.udf.faulthandler.enabled": "true",
          ...optional("spark.submit.pyFiles", application.pyFiles.join(",")),
        }
      : optional("spark.jars", application.jars.join(","))),
    ...optional("spark.files", spec.files.join(",")),
    ...optional("spark.eventLog.enabled", output.eventLog === undefined ? undefined : "true"),
    ...optional("spark.eventLog.dir", output.eventLog),
    ...(s3 ? s3Properties(version, contract.s3, tenant) : {}),
  };
}

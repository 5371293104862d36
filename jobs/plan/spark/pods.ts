import type { SparkJob } from "../../../schema/job.ts";
import { plannedScratch, TEMPORARY_MIB } from "../disk.ts";
import type { EnginePods, SpecWords } from "../engine.ts";
import { foreignBuckets, webIdentity } from "../s3.ts";
import { checkConf } from "./conf.ts";
import {
  type ApplicationContext,
  driverContainer,
  jvmSizes,
  masterContainer,
  workerContainer,
} from "./containers.ts";
import { checkEnvironment, copiedSecrets } from "./environment.ts";
import { propertiesFile } from "./files.ts";
import { COORDINATOR, MOUNTS, WORKERS } from "./layout.ts";
import { log4jFile } from "./log4j.ts";
import { driverProperties, masterProperties, workerProperties } from "./properties.ts";
import { checkLists, inputFiles, usesS3 } from "./s3.ts";
import { driverScript, masterScript, workerScript } from "./scripts.ts";
import { COORDINATOR_GRACE, WORKER_GRACE } from "./sizes.ts";

const WORDS: SpecWords = {
  coordinator: { path: "driver", fields: "driver.memory, driver.cores or scratch.size" },
  workers: {
    path: "workers",
    fields: "workers.memory, workers.cores or scratch.size (more, smaller workers)",
    many: "workers.count",
  },
};

/** Where the application's code and results are, as far as the spec tells. */
const urls = ({ spec }: ApplicationContext): string[] => [
  ...inputFiles(spec),
  ...spec.output.locations,
  spec.output.eventLog ?? "",
];

/** Checks of a job that need no environment. */
export const sparkChecks = (spec: SparkJob): (() => unknown)[] => [
  ...Object.entries(spec.conf).map(([key, value]) => () => {
    checkConf({ [key]: value });
  }),
  () => {
    checkEnvironment(spec);
  },
  () => {
    checkLists(spec);
  },
  () => jvmSizes(spec),
];

/** Sizes, settings and commands of the master, the driver and the workers. */
export function planSpark(context: ApplicationContext): EnginePods {
  const { spec, version, contract, tenant, deadlines } = context;
  checkConf(spec.conf);
  checkEnvironment(spec);
  checkLists(spec);
  const sizes = jvmSizes(spec);
  const scratch = plannedScratch(spec);
  const properties = driverProperties(spec, version, contract, tenant, {
    driverHeapMib: sizes.driver.heapMib,
    executor: {
      heapMib: sizes.executor.heapMib,
      offHeapMib: sizes.executor.offHeapMib,
      pythonMib: sizes.executor.pythonMib,
    },
  });
  return {
    own: { engine: "spark" },
    sidecars: [masterContainer(version)],
    driver: driverContainer(context, sizes.driver),
    worker: workerContainer(context, sizes.executor),
    count: spec.workers.count,
    coordinator: { name: COORDINATOR, scratch, temporary: TEMPORARY_MIB, gracePeriod: COORDINATOR_GRACE },
    workers: { name: WORKERS, scratch, temporary: TEMPORARY_MIB, gracePeriod: WORKER_GRACE },
    mounts: {
      config: MOUNTS.config,
      authentication: MOUNTS.authentication,
      scratch: MOUNTS.scratch,
      temporary: MOUNTS.temporary,
    },
    files: {
      "master.sh": masterScript(),
      "driver.sh": driverScript(deadlines.start),
      // A worker may be there long before the coordinator's node.
      "worker.sh": workerScript(deadlines.pending + deadlines.image + deadlines.start),
      "master.properties": propertiesFile(masterProperties()),
      "worker.properties": propertiesFile(workerProperties()),
      "driver.properties": propertiesFile(properties),
      "log4j2.properties": log4jFile(),
    },
    secrets: copiedSecrets(spec, tenant),
    inputs: inputFiles(spec),
    output: {
      locations: spec.output.locations,
      ...(spec.output.eventLog === undefined ? {} : { eventLog: spec.output.eventLog }),
    },
    webIdentity: usesS3(spec) ? webIdentity(tenant, MOUNTS.webIdentity) : undefined,
    notes: foreignBuckets(urls(context), tenant),
    words: WORDS,
  };
}

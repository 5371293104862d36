import { listNames } from "../../../base/nearest.ts";
import type { PlannedContainer, SparkPlan } from "../../../schema/plan.ts";
import { checkConf } from "./conf.ts";
import {
  type ApplicationContext,
  driverContainer,
  jvmSizes,
  masterContainer,
  plannedScratch,
  workerContainer,
} from "./containers.ts";
import { checkEnvironment, copiedSecrets } from "./environment.ts";
import { propertiesFile } from "./files.ts";
import { COORDINATOR, MOUNTS, WORKERS } from "./layout.ts";
import { log4jFile } from "./log4j.ts";
import { driverProperties, masterProperties, workerProperties } from "./properties.ts";
import { checkLists, inputFiles, usesS3 } from "./s3.ts";
import { driverScript, masterScript, workerScript } from "./scripts.ts";
import { COORDINATOR_GRACE, TEMPORARY_MIB, WORKER_GRACE } from "./sizes.ts";

/** All that is Spark's in a plan. */
export interface SparkPods {
  readonly master: PlannedContainer;
  readonly driver: PlannedContainer;
  readonly worker: PlannedContainer;
  readonly coordinator: Pick<SparkPlan["coordinator"], "name" | "scratch" | "temporary" | "gracePeriod">;
  readonly workers: Pick<SparkPlan["workers"], "name" | "scratch" | "temporary" | "gracePeriod">;
  readonly mounts: SparkPlan["mounts"];
  readonly files: SparkPlan["files"];
  readonly secrets: SparkPlan["secrets"];
  readonly inputs: SparkPlan["inputs"];
  readonly webIdentity: SparkPlan["webIdentity"];
  readonly notes: readonly string[];
}

/** Buckets that the tenant's identity most likely can't reach; it is the store that decides, hence a note. */
function foreignBuckets({ spec, tenant }: ApplicationContext): string[] {
  const urls = [...inputFiles(spec), ...spec.output.locations, spec.output.eventLog ?? ""];
  const buckets = new Set(
    urls.map((url) => /^s3:\/\/([^/]+)/.exec(url)?.[1] ?? "").filter((name) => name !== ""),
  );
  return [...buckets]
    .filter((name) => !tenant.buckets.includes(name))
    .map(
      (name) =>
        `Bucket "${name}" is not one of tenant "${tenant.id}" (${listNames(tenant.buckets)}): access may be refused.`,
    );
}

/** Sizes, settings and commands of the master, the driver and the workers. */
export function planSpark(context: ApplicationContext, deadlines: SparkPlan["deadlines"]): SparkPods {
  const { spec, version, contract, tenant } = context;
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
    master: masterContainer(version),
    driver: driverContainer(context, sizes.driver),
    worker: workerContainer(context, sizes.executor),
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
    webIdentity:
      usesS3(spec) && tenant.s3Identity.kind === "web-identity"
        ? { folder: MOUNTS.webIdentity, audience: "sts.amazonaws.com" }
        : undefined,
    notes: foreignBuckets(context),
  };
}

import type { SparkJob } from "../../../schema/job.ts";
import type { PlannedContainer } from "../../../schema/plan.ts";
import { LOGS_MIB, mainDisk, plannedScratch } from "../disk.ts";
import type { EngineContext } from "../engine.ts";
import { daemonParts, type JvmMemory, jvmParts, totalMib } from "../memory.ts";
import { mib, millicores, optionalMib } from "../quantities.ts";
import { refuse } from "../refusal.ts";
import { driverCommand, masterCommand, workerCommand } from "./commands.ts";
import { applicationEnv, applicationSecretEnv, commonEnv } from "./environment.ts";
import { PORTS } from "./layout.ts";
import { DAEMONS, MIN_HEAP_MIB } from "./sizes.ts";

/** The heaps and what is beside them. */
export interface JvmSizes {
  readonly driver: JvmMemory;
  readonly executor: JvmMemory;
}

function checkHeap(heapMib: number, path: string): void {
  if (heapMib >= MIN_HEAP_MIB) return;
  refuse({
    code: "heap-too-small",
    message: `${path} is ${heapMib}Mi; Spark does not start with less than ${MIN_HEAP_MIB}Mi.`,
    path,
    hint: `Ask for at least ${MIN_HEAP_MIB}Mi.`,
  });
}

/** Memory of driver and executor by Spark's rules. */
export function jvmSizes(spec: SparkJob): JvmSizes {
  const { driver, workers, application } = spec;
  const python = application.kind === "python";
  const sizes: JvmSizes = {
    driver: { heapMib: mib(driver.memory), overheadMib: optionalMib(driver.overhead), python },
    executor: {
      heapMib: mib(workers.memory),
      overheadMib: optionalMib(workers.overhead),
      offHeapMib: optionalMib(workers.offHeap),
      pythonMib: optionalMib(workers.pythonMemory),
      python,
    },
  };
  checkHeap(sizes.driver.heapMib, "driver.memory");
  checkHeap(sizes.executor.heapMib, "workers.memory");
  if (!python && workers.pythonMemory !== undefined) {
    refuse({
      code: "python-memory-of-jar",
      message: "workers.pythonMemory is set, but the application is a jar and starts no Python processes.",
      path: "workers.pythonMemory",
      hint: "Leave it out.",
    });
  }
  return sizes;
}

/** The master beside the driver. */
export function masterContainer(version: string): PlannedContainer {
  const memoryParts = daemonParts("master", DAEMONS.master);
  return {
    name: "master",
    cpu: DAEMONS.master.cpu,
    memory: totalMib(memoryParts),
    memoryParts,
    disk: LOGS_MIB,
    command: masterCommand(DAEMONS.master),
    env: commonEnv(version),
    secretEnv: [],
    ports: [
      { name: "master", port: PORTS.master },
      { name: "master-ui", port: PORTS.masterUi },
    ],
  };
}

/** What driver and worker have in common. */
export type ApplicationContext = EngineContext<SparkJob>;

const variables = ({ spec, version, contract, tenant, identity }: ApplicationContext) => ({
  env: applicationEnv(spec, version, contract, tenant, identity),
  secretEnv: applicationSecretEnv(spec, tenant),
});

/** The container whose exit code is the run's. */
export function driverContainer(context: ApplicationContext, memory: JvmMemory): PlannedContainer {
  const { spec } = context;
  const memoryParts = jvmParts("driver", memory);
  return {
    name: "driver",
    cpu: millicores(spec.driver.cpu, spec.driver.cores),
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(plannedScratch(spec)),
    command: driverCommand(spec, memory.heapMib),
    ...variables(context),
    ports: [
      { name: "driver", port: PORTS.driver },
      { name: "blocks", port: PORTS.blockManager },
      { name: "ui", port: PORTS.driverUi },
    ],
  };
}

/** A worker daemon and its executor in one container. */
export function workerContainer(context: ApplicationContext, memory: JvmMemory): PlannedContainer {
  const { spec } = context;
  const executor = jvmParts("executor", memory);
  const memoryParts = [...executor, ...daemonParts("worker daemon", DAEMONS.worker)];
  return {
    name: "worker",
    cpu: millicores(spec.workers.cpu, spec.workers.cores),
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(plannedScratch(spec)),
    command: workerCommand(spec, DAEMONS.worker, totalMib(executor)),
    ...variables(context),
    ports: [
      { name: "worker", port: PORTS.worker },
      { name: "blocks", port: PORTS.blockManager },
      { name: "worker-ui", port: PORTS.workerUi },
    ],
  };
}

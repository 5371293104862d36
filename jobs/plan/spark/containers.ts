import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { SparkJob } from "../../../schema/job.ts";
import type { PlannedContainer, PlannedScratch } from "../../../schema/plan.ts";
import { parseCpu, parseMemory } from "../../../schema/primitives.ts";
import { daemonParts, type JvmMemory, jvmParts, totalMib } from "../memory.ts";
import { refuse } from "../refusal.ts";
import { driverCommand, masterCommand, workerCommand } from "./commands.ts";
import { applicationEnv, applicationSecretEnv, commonEnv } from "./environment.ts";
import { PORTS } from "./layout.ts";
import { DAEMONS, LOGS_MIB, MIN_HEAP_MIB, TEMPORARY_MIB } from "./sizes.ts";

/** A quantity that the schema has checked already. */
function mib(text: string): number {
  const value = parseMemory(text);
  if (value === undefined) throw new Error(`not a memory quantity: ${text}`);
  return value;
}

const optionalMib = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : mib(text);

function cpu(text: string | undefined, cores: number): number {
  const value = text === undefined ? cores * 1000 : parseCpu(text);
  if (value === undefined) throw new Error(`not a CPU quantity: ${text ?? ""}`);
  return value;
}

/** Local disk of each pod. */
export const plannedScratch = ({ scratch }: SparkJob): PlannedScratch =>
  scratch.kind === "emptyDir"
    ? { kind: scratch.kind, size: mib(scratch.size) }
    : { kind: scratch.kind, storageClass: scratch.storageClass, size: mib(scratch.size) };

/** Ephemeral storage of a pod's main container: its logs, /tmp, and scratch unless that is a volume of its own. */
const mainDisk = (spec: SparkJob): number => {
  const scratch = plannedScratch(spec);
  return LOGS_MIB + TEMPORARY_MIB + (scratch.kind === "emptyDir" ? scratch.size : 0);
};

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
export interface ApplicationContext {
  readonly spec: SparkJob;
  readonly version: string;
  readonly contract: EnvironmentContract;
  readonly tenant: Tenant;
  readonly identity: { readonly run: string; readonly attempt: number };
}

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
    cpu: cpu(spec.driver.cpu, spec.driver.cores),
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(spec),
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
    cpu: cpu(spec.workers.cpu, spec.workers.cores),
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(spec),
    command: workerCommand(spec, DAEMONS.worker, totalMib(executor)),
    ...variables(context),
    ports: [
      { name: "worker", port: PORTS.worker },
      { name: "blocks", port: PORTS.blockManager },
      { name: "worker-ui", port: PORTS.workerUi },
    ],
  };
}

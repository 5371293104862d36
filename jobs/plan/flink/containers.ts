import type { FlinkJob } from "../../../schema/job.ts";
import type { PlannedContainer, PlannedScratch } from "../../../schema/plan.ts";
import { mainDisk, plannedScratch } from "../disk.ts";
import { totalMib } from "../memory.ts";
import { mib, millicores, optionalMib } from "../quantities.ts";
import { refuse } from "../refusal.ts";
import { type JobManagerState, jobManagerCommand, taskManagerCommand } from "./commands.ts";
import type { FlinkContext } from "./context.ts";
import { variables } from "./environment.ts";
import { PORTS } from "./layout.ts";
import {
  type JobManagerMemory,
  jobManagerMemory,
  jobManagerParts,
  type TaskManagerAsked,
  type TaskManagerMemory,
  taskManagerMemory,
  taskManagerParts,
} from "./memory.ts";
import { s3SecretFiles, usesS3 } from "./s3.ts";

/** Sizes of a job's processes. */
export interface FlinkSizes {
  readonly jobManager: JobManagerMemory;
  readonly taskManagerAsked: TaskManagerAsked;
  readonly taskManager: TaskManagerMemory;
  /** Millicores. */
  readonly jobManagerCpu: number;
  readonly taskManagerCpu: number;
  readonly parallelism: number;
}

/** Memory by Flink's rules, and as many slots as the job needs. */
export function flinkSizes({ jobManager, taskManagers, parallelism }: FlinkJob): FlinkSizes {
  const asked: TaskManagerAsked = {
    processMib: mib(taskManagers.memory),
    metaspaceMib: mib(taskManagers.metaspace),
    taskOffHeapMib: optionalMib(taskManagers.offHeap) ?? 0,
    managed: taskManagers.managed,
    network: taskManagers.network,
  };
  const slots = taskManagers.count * taskManagers.slots;
  if (parallelism !== undefined && parallelism > slots) {
    refuse({
      code: "not-enough-slots",
      message: `parallelism is ${parallelism}, but ${taskManagers.count} TaskManagers × ${taskManagers.slots} slots are ${slots}.`,
      path: "parallelism",
      hint: `Ask for at least ${Math.ceil(parallelism / taskManagers.slots)} taskManagers.count, or for more slots in each.`,
    });
  }
  return {
    jobManager: jobManagerMemory({
      processMib: mib(jobManager.memory),
      metaspaceMib: mib(jobManager.metaspace),
      offHeapMib: mib(jobManager.offHeap),
    }),
    taskManagerAsked: asked,
    taskManager: taskManagerMemory(asked),
    jobManagerCpu: millicores(jobManager.cpu, 1),
    taskManagerCpu: millicores(taskManagers.cpu, taskManagers.slots),
    parallelism: parallelism ?? slots,
  };
}

/** Local disk of a JobManager and of a TaskManager: RocksDB's comes on top of what the job asks for. */
export const flinkScratch = (
  spec: FlinkJob,
): { readonly jobManager: PlannedScratch; readonly taskManager: PlannedScratch } => ({
  jobManager: plannedScratch(spec),
  taskManager: plannedScratch(
    spec,
    spec.kind === "stream" && spec.state.backend === "rocksdb" ? mib(spec.state.disk) : 0,
  ),
});

/** What both containers have in common. */
function shared(context: FlinkContext) {
  const { spec, tenant } = context;
  const files = usesS3(spec) ? s3SecretFiles(tenant) : undefined;
  return {
    env: variables(context),
    secretEnv: spec.secrets,
    ...(files === undefined ? {} : { secretFiles: files }),
  };
}

/** The JobManager: the container whose exit code is the run's, called as in every engine. */
export function jobManagerContainer(
  context: FlinkContext,
  sizes: FlinkSizes,
  state: JobManagerState,
): PlannedContainer {
  const { spec } = context;
  const memoryParts = jobManagerParts(sizes.jobManager);
  return {
    name: "driver",
    cpu: sizes.jobManagerCpu,
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(flinkScratch(spec).jobManager),
    command: jobManagerCommand(spec, sizes.jobManager, sizes.jobManagerCpu, state),
    ...shared(context),
    ports: [
      { name: "rpc", port: PORTS.rpc },
      { name: "blob", port: PORTS.blob },
      { name: "metrics-query", port: PORTS.query },
      { name: "metrics", port: PORTS.metrics },
    ],
  };
}

/** A TaskManager: one process with all its slots. */
export function taskManagerContainer(context: FlinkContext, sizes: FlinkSizes): PlannedContainer {
  const { spec } = context;
  const memoryParts = taskManagerParts(sizes.taskManager, sizes.taskManagerAsked);
  return {
    name: "worker",
    cpu: sizes.taskManagerCpu,
    memory: totalMib(memoryParts),
    memoryParts,
    disk: mainDisk(flinkScratch(spec).taskManager),
    command: taskManagerCommand(spec, sizes.taskManager, sizes.taskManagerCpu),
    ...shared(context),
    ports: [
      { name: "data", port: PORTS.data },
      { name: "rpc", port: PORTS.taskRpc },
      { name: "collect", port: PORTS.collect },
      { name: "metrics-query", port: PORTS.query },
      { name: "metrics", port: PORTS.metrics },
    ],
  };
}

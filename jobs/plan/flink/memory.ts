import type { MemoryPart } from "../../../schema/plan.ts";
import { memoryLines, totalMib } from "../memory.ts";
import { refuse } from "../refusal.ts";
import { MIN_JOBMANAGER_HEAP_MIB, MIN_TASK_HEAP_MIB } from "./sizes.ts";

/**
 * Flink's defaults, the same in 1.20 and 2.x:
 * https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/memory/mem_setup/
 */
const OVERHEAD = { share: 0.1, minimum: 192, maximum: 1024 } as const;
const FRAMEWORK = { heap: 128, offHeap: 128 } as const;
const NETWORK_MINIMUM = 64;

/** MiB of JVM overhead: thread stacks, code cache, and what else is native. */
const overheadOf = (processMib: number): number =>
  Math.min(OVERHEAD.maximum, Math.max(OVERHEAD.minimum, Math.floor(processMib * OVERHEAD.share)));

/** What a job says about a JobManager. In MiB. */
export interface JobManagerAsked {
  readonly processMib: number;
  readonly metaspaceMib: number;
  readonly offHeapMib: number;
}

/** What Flink's rules make of it. In MiB; the sum is the container's limit. */
export interface JobManagerMemory extends JobManagerAsked {
  readonly heapMib: number;
  readonly overheadMib: number;
}

/** What a job says about a TaskManager. In MiB; shares are of Flink's own memory. */
export interface TaskManagerAsked {
  readonly processMib: number;
  readonly metaspaceMib: number;
  readonly taskOffHeapMib: number;
  readonly managed: number;
  readonly network: number;
}

/** What Flink's rules make of it. In MiB; the sum is the container's limit. */
export interface TaskManagerMemory {
  readonly frameworkHeapMib: number;
  readonly frameworkOffHeapMib: number;
  readonly taskHeapMib: number;
  readonly taskOffHeapMib: number;
  readonly managedMib: number;
  readonly networkMib: number;
  readonly metaspaceMib: number;
  readonly overheadMib: number;
}

/** A JobManager's memory, its heap maybe too small or below zero. */
function divideJobManager(asked: JobManagerAsked): JobManagerMemory {
  const overheadMib = overheadOf(asked.processMib);
  const heapMib = asked.processMib - asked.metaspaceMib - overheadMib - asked.offHeapMib;
  return { ...asked, heapMib, overheadMib };
}

/** A TaskManager's memory, its task heap maybe too small or below zero. Parts are cut to whole MiB; what that leaves is task heap. */
function divideTaskManager(asked: TaskManagerAsked): TaskManagerMemory {
  const overheadMib = overheadOf(asked.processMib);
  const flink = asked.processMib - asked.metaspaceMib - overheadMib;
  const managedMib = Math.max(0, Math.floor(flink * asked.managed));
  const networkMib = Math.max(NETWORK_MINIMUM, Math.floor(flink * asked.network));
  return {
    frameworkHeapMib: FRAMEWORK.heap,
    frameworkOffHeapMib: FRAMEWORK.offHeap,
    taskHeapMib: flink - FRAMEWORK.heap - FRAMEWORK.offHeap - asked.taskOffHeapMib - managedMib - networkMib,
    taskOffHeapMib: asked.taskOffHeapMib,
    managedMib,
    networkMib,
    metaspaceMib: asked.metaspaceMib,
    overheadMib,
  };
}

/** More than any container asks for: 64 TiB. */
const MOST_MIB = 64 * 1024 * 1024;

/** The smallest process size with which `fits` is true; it is true for all larger ones. Undefined where none is. */
function smallest(from: number, fits: (processMib: number) => boolean): number | undefined {
  let [low, high] = [from, from];
  while (!fits(high)) {
    if (high > MOST_MIB) return undefined;
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle;
  }
  return high;
}

const overheadName = `JVM overhead (10 % of the container, ${OVERHEAD.minimum} to ${OVERHEAD.maximum})`;

const percent = (share: number): string => `${Math.round(share * 1000) / 10} % of Flink's memory`;

/** The parts of a JobManager's memory. */
export const jobManagerParts = (memory: JobManagerMemory): MemoryPart[] => [
  { what: "JobManager heap", mib: memory.heapMib },
  { what: "JobManager off-heap", mib: memory.offHeapMib },
  { what: "JVM metaspace", mib: memory.metaspaceMib },
  { what: overheadName, mib: memory.overheadMib },
];

/** The parts of a TaskManager's memory. */
export const taskManagerParts = (memory: TaskManagerMemory, asked: TaskManagerAsked): MemoryPart[] => [
  { what: "task heap", mib: memory.taskHeapMib },
  { what: "framework heap", mib: memory.frameworkHeapMib },
  { what: "framework off-heap", mib: memory.frameworkOffHeapMib },
  ...(memory.taskOffHeapMib === 0 ? [] : [{ what: "task off-heap", mib: memory.taskOffHeapMib }]),
  { what: `managed memory (${percent(asked.managed)})`, mib: memory.managedMib },
  {
    what: `network buffers (${percent(asked.network)}, at least ${NETWORK_MINIMUM})`,
    mib: memory.networkMib,
  },
  { what: "JVM metaspace", mib: memory.metaspaceMib },
  { what: overheadName, mib: memory.overheadMib },
];

/** The parts beside the heap, what the heap needs, and what is there. */
function shortfall(parts: readonly MemoryPart[], least: number, processMib: number): string[] {
  const [heap, ...rest] = parts;
  const needed = [{ what: `${heap?.what ?? "heap"} at least`, mib: least }, ...rest];
  return [...memoryLines(needed), `asked for: ${processMib} MiB, ${totalMib(needed) - processMib} too few`];
}

/**
 * The memory of a JobManager by Flink's rules: process size less metaspace, overhead and off-heap is the heap.
 * Refuses one that is too small, with the sum.
 */
export function jobManagerMemory(asked: JobManagerAsked): JobManagerMemory {
  const memory = divideJobManager(asked);
  if (memory.heapMib >= MIN_JOBMANAGER_HEAP_MIB) return memory;
  const enough = smallest(
    asked.processMib,
    (processMib) => divideJobManager({ ...asked, processMib }).heapMib >= MIN_JOBMANAGER_HEAP_MIB,
  );
  return refuse({
    code: "memory-too-small",
    message: `jobManager.memory is ${asked.processMib}Mi, which leaves no heap of ${MIN_JOBMANAGER_HEAP_MIB}Mi.`,
    arithmetic: shortfall(jobManagerParts(memory), MIN_JOBMANAGER_HEAP_MIB, asked.processMib),
    path: "jobManager.memory",
    hint: `Ask for at least ${enough ?? MOST_MIB}Mi.`,
  });
}

/**
 * The memory of a TaskManager by Flink's rules. Refuses one that is too small, with the sum.
 */
export function taskManagerMemory(asked: TaskManagerAsked): TaskManagerMemory {
  const shares = asked.managed + asked.network;
  if (shares >= 1) {
    return refuse({
      code: "memory-shares-too-large",
      message: `taskManagers.managed and taskManagers.network are ${percent(shares)}: nothing is left for the heap.`,
      path: "taskManagers.managed",
      hint: "Let them be less than 1 together; Flink's defaults are 0.4 and 0.1.",
    });
  }
  const memory = divideTaskManager(asked);
  if (memory.taskHeapMib >= MIN_TASK_HEAP_MIB) return memory;
  const enough = smallest(
    asked.processMib,
    (processMib) => divideTaskManager({ ...asked, processMib }).taskHeapMib >= MIN_TASK_HEAP_MIB,
  );
  return refuse({
    code: "memory-too-small",
    message: `taskManagers.memory is ${asked.processMib}Mi, which leaves tasks no heap of ${MIN_TASK_HEAP_MIB}Mi.`,
    arithmetic: shortfall(taskManagerParts(memory, asked), MIN_TASK_HEAP_MIB, asked.processMib),
    path: "taskManagers.memory",
    hint:
      enough === undefined
        ? "Ask for more memory, or for smaller shares."
        : `Ask for at least ${enough}Mi, or for less taskManagers.managed.`,
  });
}

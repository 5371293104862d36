import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  jobManagerMemory,
  jobManagerParts,
  taskManagerMemory,
  taskManagerParts,
} from "../../../jobs/plan/flink/memory.ts";
import { totalMib } from "../../../jobs/plan/memory.ts";
import { type Refusal, Refused } from "../../../jobs/plan/refusal.ts";

const MIB = 1024 * 1024;

const taskManager = (processMib: number, changes: object = {}) => ({
  processMib,
  metaspaceMib: 256,
  taskOffHeapMib: 0,
  managed: 0.4,
  network: 0.1,
  ...changes,
});
const jobManager = (processMib: number) => ({ processMib, metaspaceMib: 256, offHeapMib: 128 });

function refusal(work: () => unknown): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
  throw new Error("was not refused");
}

/**
 * What Flink's own start scripts make of these sizes: printed by org.apache.flink.runtime.util.bash.BashJavaUtils of 2.3.0 (1.20.1 says the
 * same) with GET_TM_RESOURCE_PARAMS and GET_JM_RESOURCE_PARAMS; bytes.
 */
const TASK_MANAGERS = [
  {
    process: 1728,
    heap: 536870902,
    taskHeap: 402653174,
    managed: 536870920,
    network: 134217730,
    overhead: 201326592,
  },
  {
    process: 4096,
    heap: 1664299798,
    taskHeap: 1530082070,
    managed: 1438814063,
    network: 359703515,
    overhead: 429496736,
  },
  {
    process: 12_000,
    heap: 5486149549,
    taskHeap: 5351931821,
    managed: 4496293955,
    network: 1124073488,
    overhead: 1073741824,
  },
  {
    process: 65_536,
    heap: 33554431498,
    taskHeap: 33420213770,
    managed: 26950920184,
    network: 6737730046,
    overhead: 1073741824,
  },
  {
    process: 131_072,
    heap: 67914169354,
    taskHeap: 67779951626,
    managed: 54438711288,
    network: 13609677822,
    overhead: 1073741824,
  },
] as const;
const JOB_MANAGERS = [
  { process: 864, heap: 301989888, overhead: 201326592 },
  { process: 1600, heap: 1073741824, overhead: 201326592 },
  { process: 2048, heap: 1530082096, overhead: 214748368 },
  { process: 6000, heap: 5259657207, overhead: 629145609 },
  { process: 65_536, heap: 67243081728, overhead: 1073741824 },
] as const;

/** The plan has whole MiB and gives the rest to the heap: three parts are rounded down, so it may be up to three more. */
const near = (mib: number, bytes: number, tolerance: number): void => {
  expect(Math.abs(mib - bytes / MIB)).toBeLessThan(tolerance);
};

describe("the memory of a TaskManager", () => {
  it.each(TASK_MANAGERS)("of $process MiB is what Flink's own scripts make of it", (flink) => {
    const memory = taskManagerMemory(taskManager(flink.process));
    near(memory.managedMib, flink.managed, 1);
    near(memory.networkMib, flink.network, 1);
    near(memory.overheadMib, flink.overhead, 1);
    near(memory.taskHeapMib, flink.taskHeap, 3);
    near(memory.frameworkHeapMib + memory.taskHeapMib, flink.heap, 3);
  });

  it("of 1728 MiB, Flink's default, has 512 MiB managed, 128 network and 384 for tasks", () => {
    expect(taskManagerMemory(taskManager(1728))).toEqual({
      frameworkHeapMib: 128,
      frameworkOffHeapMib: 128,
      taskHeapMib: 384,
      taskOffHeapMib: 0,
      managedMib: 512,
      networkMib: 128,
      metaspaceMib: 256,
      overheadMib: 192,
    });
  });

  it("is refused where Flink would start with next to no heap, with the sum and the size that is enough", () => {
    const { code, path, message, arithmetic, hint } = refusal(() => taskManagerMemory(taskManager(1024)));
    expect({ code, path }).toEqual({ code: "memory-too-small", path: "taskManagers.memory" });
    expect(message).toBe("taskManagers.memory is 1024Mi, which leaves tasks no heap of 64Mi.");
    expect(arithmetic).toEqual([
      "      64 MiB  task heap at least",
      "  +  128 MiB  framework heap",
      "  +  128 MiB  framework off-heap",
      "  +  230 MiB  managed memory (40 % of Flink's memory)",
      "  +   64 MiB  network buffers (10 % of Flink's memory, at least 64)",
      "  +  256 MiB  JVM metaspace",
      "  +  192 MiB  JVM overhead (10 % of the container, 192 to 1024)",
      "  = 1062 MiB  in all",
      "asked for: 1024 MiB, 38 too few",
    ]);
    expect(hint).toBe("Ask for at least 1087Mi, or for less taskManagers.managed.");
  });

  it("of exactly the size that a refusal names is enough, and of one MiB less is not", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1100 }),
        fc.double({ min: 0, max: 0.6, noNaN: true }),
        fc.integer({ min: 0, max: 4096 }),
        (processMib, managed, taskOffHeapMib) => {
          const asked = { managed, taskOffHeapMib };
          const { hint } = refusal(() => taskManagerMemory(taskManager(Math.min(processMib, 447), asked)));
          const enough = Number(/at least (\d+)Mi/.exec(hint)?.[1]);
          expect(taskManagerMemory(taskManager(enough, asked)).taskHeapMib).toBeGreaterThanOrEqual(64);
          expect(() => taskManagerMemory(taskManager(enough - 1, asked))).toThrow(Refused);
        },
      ),
    );
  });

  it("adds up to the container's limit, whatever was asked", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2048, max: 200_000 }),
        fc.double({ min: 0, max: 0.5, noNaN: true }),
        fc.double({ min: 0, max: 0.2, noNaN: true }),
        (processMib, managed, network) => {
          const asked = taskManager(processMib, { managed, network });
          expect(totalMib(taskManagerParts(taskManagerMemory(asked), asked))).toBe(processMib);
        },
      ),
    );
  });

  it("is refused where the shares leave nothing", () => {
    expect(refusal(() => taskManagerMemory(taskManager(8192, { managed: 0.9, network: 0.1 })))).toMatchObject(
      {
        code: "memory-shares-too-large",
        path: "taskManagers.managed",
      },
    );
  });
});

describe("the memory of a JobManager", () => {
  it.each(JOB_MANAGERS)("of $process MiB is what Flink's own scripts make of it", (flink) => {
    const memory = jobManagerMemory(jobManager(flink.process));
    near(memory.heapMib, flink.heap, 1);
    near(memory.overheadMib, flink.overhead, 1);
    expect(totalMib(jobManagerParts(memory))).toBe(flink.process);
  });

  it("is refused below the heap that Flink demands, with the size that is enough", () => {
    expect(refusal(() => jobManagerMemory(jobManager(512)))).toMatchObject({
      code: "memory-too-small",
      path: "jobManager.memory",
      hint: "Ask for at least 704Mi.",
    });
    expect(jobManagerMemory(jobManager(704)).heapMib).toBe(128);
  });
});

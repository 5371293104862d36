// What Spark's processes tell of lost memory, and what to do about it.
import type { Plan, PlannedContainer } from "../../schema/plan.ts";
import {
  arithmetic,
  type MemoryClue,
  memoryClue,
  NEAR_LIMIT,
  OOM_KILLED,
  type OutOfMemory,
  outOfMemory,
  peak,
  roundUp,
} from "./memory.ts";
import type { ObservedPod, ObservedRun } from "./observe.ts";

/** The heap that the job's own code uses: the worker daemon's beside it is smaller. */
const heapOf = (container: PlannedContainer): number =>
  Math.max(
    0,
    ...container.memoryParts
      .filter(({ what }) => /\bheap\b/.test(what) && !what.includes("off-heap"))
      .map(({ mib }) => mib),
  );

const overheadOf = (container: PlannedContainer): number =>
  container.memoryParts.find(({ what }) => what.includes("overhead"))?.mib ?? 0;

function advice(container: PlannedContainer, field: "driver" | "workers", how: MemoryClue["how"]): string {
  const [heap, overhead] = [heapOf(container), overheadOf(container)];
  const now = `Now: ${arithmetic(container)}.`;
  if (how === "heap") {
    const more = roundUp(heap * 1.5);
    const grown = Math.max(overhead, Math.ceil((overhead / Math.max(heap, 1)) * more));
    const limit = container.memory - heap - overhead + more + grown;
    return (
      `${now} The heap was too small: set ${field}.memory to ${more}Mi (the limit becomes at most ${limit} MiB)` +
      (field === "workers"
        ? ", or give each task less data by more partitions."
        : ", or collect less data in the driver.")
    );
  }
  const more = roundUp(overhead + container.memory / 2);
  const limit = container.memory - overhead + more;
  return (
    `${now} The heap is bounded, so what grew lies beside it (Python, native memory): set ${field}.overhead to ${more}Mi ` +
    `(the limit becomes ${limit} MiB)` +
    (field === "workers"
      ? ", or lower workers.cores, since each task has a Python process of its own."
      : ", or hold less data in the driver's Python process.")
  );
}

const outcome = (
  pod: string,
  container: PlannedContainer,
  field: "driver" | "workers",
  how: MemoryClue["how"],
  detail: string,
): OutOfMemory => outOfMemory(pod, container, detail, advice(container, field, how));

/** Whether the driver's or a sidecar's own container ran out of memory. Asked only when the driver ended, not with 0. */
export function driverOutOfMemory(
  known: ObservedRun,
  plan: Plan,
  pod: ObservedPod,
  exitCode: number,
): OutOfMemory | undefined {
  const { driver, sidecars } = plan.coordinator;
  const name = pod.view.name;
  if (pod.oomKilled[driver.name] !== undefined) {
    return outcome(name, driver, "driver", "killed", OOM_KILLED);
  }
  const own = known.driverLog.memory
    .map(({ line }) => memoryClue(line))
    .filter((clue) => clue?.executor === false);
  if (exitCode === 52)
    return outcome(name, driver, "driver", "heap", "its JVM had no heap left (exit code 52)");
  if (exitCode === 137 && peak(pod, driver.name) >= NEAR_LIMIT * driver.memory) {
    const seen = Math.round(peak(pod, driver.name));
    return outcome(name, driver, "driver", "killed", `it was killed (exit code 137) with ${seen} MiB in use`);
  }
  const clue = own.at(-1);
  if (clue?.how === "heap") {
    return outcome(name, driver, "driver", "heap", "its JVM had no heap left (java.lang.OutOfMemoryError)");
  }
  if (clue?.how === "python") {
    return outcome(name, driver, "driver", "python", "its Python process got no more memory (MemoryError)");
  }
  const sidecar = sidecars.find((container) => pod.oomKilled[container.name] !== undefined);
  if (sidecar !== undefined) {
    return outcome(name, sidecar, "driver", "killed", OOM_KILLED);
  }
  return undefined;
}

/** Whether a worker ran out of memory, by its pod's status or by the driver's log. */
export function workerOutOfMemory(known: ObservedRun, plan: Plan): OutOfMemory | undefined {
  const { container, name } = plan.workers;
  const workers = Object.values(known.pods).filter(({ view }) => view.role === "worker");
  const killed = workers.find(({ oomKilled }) => oomKilled[container.name] !== undefined);
  if (killed !== undefined) {
    return outcome(killed.view.name, container, "workers", "killed", OOM_KILLED);
  }
  for (const { line } of known.driverLog.memory) {
    const clue = memoryClue(line);
    if (clue?.executor !== true) continue;
    const pod = workers.find(({ view }) => view.ip !== undefined && view.ip === clue.ip);
    // On cgroup v1 the kernel kills the one process that is largest: with PySpark that of a task, and the executor lives on.
    if (
      clue.how === "crashed" &&
      (pod === undefined || peak(pod, container.name) < NEAR_LIMIT * container.memory)
    ) {
      continue;
    }
    const detail = {
      killed: "the kernel killed a process of its executor at the limit",
      heap: "its executor's JVM had no heap left",
      python: "its executor's Python process got no more memory (MemoryError)",
      crashed: `a Python process of its executor ended with ${Math.round(pod === undefined ? 0 : peak(pod, container.name))} MiB in use`,
    }[clue.how];
    return outcome(pod?.view.name ?? `${name}-?`, container, "workers", clue.how, detail);
  }
  return undefined;
}

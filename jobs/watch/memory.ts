import type { Outcome } from "../../schema/outcome.ts";
import type { Plan, PlannedContainer } from "../../schema/plan.ts";
import type { ObservedPod, ObservedRun } from "./observe.ts";

type OutOfMemory = Extract<Outcome, { kind: "out-of-memory" }>;

/** What a log line says about lost memory. */
export interface MemoryClue {
  /**
   * `killed`: by the kernel, at the container's limit; `heap`: by the JVM; `python`: a MemoryError; `crashed`: an executor's Python process
   * ended and nobody asked why.
   */
  readonly how: "killed" | "heap" | "python" | "crashed";
  /** Whether it speaks of an executor; else of the driver itself. */
  readonly executor: boolean;
  /** Address of the executor's pod, where the line has it. */
  readonly ip: string | undefined;
}

/**
 * Reads a line of the driver's log. On cgroup v1 the kernel kills the executor process and the worker's container lives on, so
 * that only Spark tells: `Lost executor 0 on 10.244.0.9: Command exited with code 137`. 52 is Spark's code of a JVM that ran out
 * of heap: https://github.com/apache/spark/blob/v4.0.1/core/src/main/scala/org/apache/spark/util/SparkExitCode.scala
 */
export function memoryClue(line: string): MemoryClue | undefined {
  const exit = /exited with code (137|52)\b/.exec(line);
  const ip = /\bexecutor \S+ on (\d+\.\d+\.\d+\.\d+)|\((\d+\.\d+\.\d+\.\d+)\s+executor\b/i.exec(line);
  const address = ip?.[1] ?? ip?.[2];
  if (exit !== null) return { how: exit[1] === "52" ? "heap" : "killed", executor: true, ip: address };
  const crash = /Python worker exited unexpectedly \(crashed\)(.*)$/.exec(line);
  if (crash !== null) {
    // With Python's fault handler on, as plans have it, a fault of its own prints `(crashed): Fatal Python error: …`, and a process that
    // was killed leaves nothing after the colon.
    const rest = (crash[1] ?? "").trim();
    if (rest === ":") return { how: "killed", executor: true, ip: address };
    return rest.startsWith(":") ? undefined : { how: "crashed", executor: true, ip: address };
  }
  const executor = address !== undefined || /\bexecutor\b|Lost task|PythonRunner|PythonException/.test(line);
  if (line.includes("java.lang.OutOfMemoryError")) return { how: "heap", executor, ip: address };
  if (/(^|[\s:.])MemoryError(:|\s*$)/.test(line)) return { how: "python", executor, ip: address };
  return undefined;
}

/** Share of its limit that a container must have reached for a bare 137 to count as out of memory. */
const NEAR_LIMIT = 0.85;

const ROUND_MIB = 256;
const roundUp = (mib: number): number => Math.ceil(mib / ROUND_MIB) * ROUND_MIB;

/** `512 heap + 384 overhead = 896 MiB`. */
export const arithmetic = (container: PlannedContainer): string =>
  `${container.memoryParts
    .filter(({ mib }) => mib > 0)
    .map(({ what, mib }) => `${mib} ${what}`)
    .join(" + ")} = ${container.memory} MiB`;

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

function outcome(
  pod: string,
  container: PlannedContainer,
  field: "driver" | "workers",
  how: MemoryClue["how"],
  detail: string,
): OutOfMemory {
  return {
    kind: "out-of-memory",
    pod,
    container: container.name,
    limitMib: container.memory,
    message: `Container ${container.name} of pod ${pod} ran out of memory (limit ${container.memory} MiB): ${detail}.`,
    advice: advice(container, field, how),
  };
}

const peak = (pod: ObservedPod, container: string): number => pod.usage[container]?.peakMemoryMib ?? 0;

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
    return outcome(name, driver, "driver", "killed", "the kernel killed it at its limit (OOMKilled)");
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
    return outcome(name, sidecar, "driver", "killed", "the kernel killed it at its limit (OOMKilled)");
  }
  return undefined;
}

/** Whether a worker ran out of memory, by its pod's status or by the driver's log. */
export function workerOutOfMemory(known: ObservedRun, plan: Plan): OutOfMemory | undefined {
  const { container, name } = plan.workers;
  const workers = Object.values(known.pods).filter(({ view }) => view.role === "worker");
  const killed = workers.find(({ oomKilled }) => oomKilled[container.name] !== undefined);
  if (killed !== undefined) {
    const detail = "the kernel killed it at its limit (OOMKilled)";
    return outcome(killed.view.name, container, "workers", "killed", detail);
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

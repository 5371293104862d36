// What Flink's processes tell of lost memory, and what to do about it, as
// https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/memory/mem_trouble/ advises.
import type { PlannedContainer } from "../../schema/plan.ts";
import {
  arithmetic,
  NEAR_LIMIT,
  OOM_KILLED,
  type OutOfMemory,
  outOfMemory,
  peak,
  roundUp,
} from "./memory.ts";
import type { ContainerEnd, ObservedPod } from "./observe.ts";

type Field = "jobManager" | "taskManagers";

/** `beside`: the kernel killed the process, whose heap is bounded. */
type Kind = "heap" | "metaspace" | "direct" | "beside";

/** Which part of a JVM's memory an OutOfMemoryError is of, by its words. */
const kindOf = (text: string): Kind =>
  /Metaspace|Compressed class space/.test(text) ? "metaspace" : /[Dd]irect/.test(text) ? "direct" : "heap";

const part = (container: PlannedContainer, name: RegExp): number =>
  container.memoryParts.find(({ what }) => name.test(what))?.mib ?? 0;

/** By how much a process has to grow for so much more heap: its overhead and shares of Flink's memory grow along. */
function growth(container: PlannedContainer, mib: number): number {
  const beside = part(container, /metaspace/) + part(container, /overhead/);
  const flink = Math.max(1, container.memory - beside);
  const shares = (part(container, /managed/) + part(container, /network/)) / flink;
  return mib / (0.9 * Math.max(0.1, 1 - shares));
}

const WHAT: Readonly<Record<Kind, string>> = {
  heap: "its JVM had no heap left",
  metaspace: "its JVM had no metaspace left",
  direct: "its JVM had no direct memory left",
  beside: OOM_KILLED,
};

function advice(container: PlannedContainer, field: Field, kind: Kind): string {
  const now = `Now: ${arithmetic(container)}.`;
  const total = (more: number): string => `${field}.memory to ${roundUp(container.memory + more)}Mi`;
  const workers = field === "taskManagers";
  switch (kind) {
    case "heap": {
      const heap = part(container, /(task|JobManager) heap/);
      const managed = part(container, /managed/);
      const more = roundUp(heap * 1.5) - heap;
      const rest = workers
        ? `, or give each task less: more parallelism, fewer taskManagers.slots${managed === 0 ? "" : `, or less taskManagers.managed (${managed} MiB, which only RocksDB, Python and batch operators use)`}`
        : ", or let the job's main method hold less";
      return `${now} The heap was too small: set ${total(growth(container, more))}${rest}.`;
    }
    case "metaspace": {
      const metaspace = part(container, /metaspace/);
      const more = roundUp(metaspace * 1.5) - metaspace;
      return `${now} Classes need more: set ${field}.metaspace to ${metaspace + more}Mi and ${total(more / 0.9)}.`;
    }
    case "direct":
    case "beside": {
      const off = part(container, workers ? /task off-heap/ : /off-heap/);
      const more = roundUp(container.memory / 4);
      const why =
        kind === "direct"
          ? "Direct memory is bounded by off-heap memory"
          : `The heap is bounded, so what grew lies beside it (${workers ? "RocksDB, Python, native memory" : "native memory"})`;
      return `${now} ${why}: set ${field}.offHeap to ${off + more}Mi and ${total(more / 0.9)}.`;
    }
  }
}

const outcome = (
  pod: string,
  container: PlannedContainer,
  field: Field,
  kind: Kind,
  detail = WHAT[kind],
): OutOfMemory => outOfMemory(pod, container, detail, advice(container, field, kind));

/** Of a JVM with -XX:+ExitOnOutOfMemoryError, as all of ours are. */
const EXIT_ON_OOM = 3;

/** Whether a container that ended so ran out of memory. @param text What it, or somebody else, said of it. */
export function endOutOfMemory(
  pod: ObservedPod,
  container: PlannedContainer,
  field: Field,
  end: ContainerEnd,
  text = "",
): OutOfMemory | undefined {
  const { name } = pod.view;
  if (end.reason === "OOMKilled") return outcome(name, container, field, "beside");
  if (end.exitCode === EXIT_ON_OOM) {
    const kind = kindOf(text);
    return outcome(name, container, field, kind, `${WHAT[kind]} (exit code ${EXIT_ON_OOM})`);
  }
  const seen = peak(pod, container.name);
  return end.exitCode === 137 && seen >= NEAR_LIMIT * container.memory
    ? outcome(
        name,
        container,
        field,
        "beside",
        `it was killed (exit code 137) with ${Math.round(seen)} MiB in use`,
      )
    : undefined;
}

/** The last OutOfMemoryError of some lines. */
export const memoryError = (lines: readonly string[]): string | undefined =>
  lines.findLast((line) => line.includes("java.lang.OutOfMemoryError"));

/**
 * An OutOfMemoryError by which a task failed, though its TaskManager lived on: of direct memory, mostly, by which no JVM exits. Flink adds
 * to its words which setting of which process to raise (TaskManagerExceptionUtils, ClusterEntryPointExceptionUtils).
 */
export function thrownOutOfMemory(
  exception: string,
  coordinator: { readonly pod: string; readonly container: PlannedContainer },
  worker: { readonly pod: string; readonly container: PlannedContainer },
): OutOfMemory | undefined {
  if (!exception.includes("java.lang.OutOfMemoryError")) return undefined;
  const kind = kindOf(exception);
  const detail = exception.slice(0, 120).replace(/\.$/, "");
  return exception.includes("jobmanager.memory")
    ? outcome(coordinator.pod, coordinator.container, "jobManager", kind, detail)
    : outcome(worker.pod, worker.container, "taskManagers", kind, detail);
}

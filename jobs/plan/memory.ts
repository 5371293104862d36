import type { MemoryPart } from "../../schema/plan.ts";

/**
 * Spark's own rule for the memory beside a heap, which people who know Spark expect here too:
 * https://spark.apache.org/docs/latest/configuration.html (spark.executor.memoryOverheadFactor).
 */
const OVERHEAD = { jvmPercent: 10, pythonPercent: 40, minimumMib: 384 } as const;

/**
 * MiB beside the heap of a driver or an executor: the explicit value, else 10 % of the heap (40 % with Python processes beside
 * the JVM), at least 384 MiB, cut to whole MiB.
 */
export function overheadMib(heapMib: number, python: boolean, explicitMib?: number): number {
  if (explicitMib !== undefined) return explicitMib;
  const percent = python ? OVERHEAD.pythonPercent : OVERHEAD.jvmPercent;
  return Math.max(Math.floor((heapMib * percent) / 100), OVERHEAD.minimumMib);
}

/** What a JVM may take of its container. All in MiB. */
export interface JvmMemory {
  readonly heapMib: number;
  readonly overheadMib?: number | undefined;
  readonly offHeapMib?: number | undefined;
  readonly pythonMib?: number | undefined;
  /** Whether Python processes run beside the JVM. */
  readonly python: boolean;
}

/** The parts of a driver's or executor's memory; names say who uses it. */
export function jvmParts(who: string, memory: JvmMemory): MemoryPart[] {
  const rule =
    memory.overheadMib === undefined
      ? `${memory.python ? OVERHEAD.pythonPercent : OVERHEAD.jvmPercent} % of the heap, at least ${OVERHEAD.minimumMib}`
      : "as given";
  const parts: MemoryPart[] = [
    { what: `${who} heap`, mib: memory.heapMib },
    {
      what: `${who} overhead (${rule})`,
      mib: overheadMib(memory.heapMib, memory.python, memory.overheadMib),
    },
  ];
  if (memory.offHeapMib !== undefined) parts.push({ what: `${who} off-heap`, mib: memory.offHeapMib });
  if (memory.pythonMib !== undefined) parts.push({ what: `${who} Python processes`, mib: memory.pythonMib });
  return parts;
}

/** A daemon's heap and what its JVM needs beside it: metaspace, code, threads, buffers. */
export interface DaemonMemory {
  readonly heapMib: number;
  readonly nativeMib: number;
}

export const daemonParts = (who: string, memory: DaemonMemory): MemoryPart[] => [
  { what: `${who} heap`, mib: memory.heapMib },
  { what: `${who} native memory`, mib: memory.nativeMib },
];

/** MiB of all parts: a container's limit. */
export const totalMib = (parts: readonly MemoryPart[]): number =>
  parts.reduce((sum, part) => sum + part.mib, 0);

/** The sum as lines of text, for refusals and `mayfly plan`. */
export function memoryLines(parts: readonly MemoryPart[]): string[] {
  const width = String(totalMib(parts)).length;
  const line = (sign: string, mib: number, what: string): string =>
    `  ${sign} ${String(mib).padStart(width)} MiB  ${what}`;
  return [
    ...parts.map((part, index) => line(index === 0 ? " " : "+", part.mib, part.what)),
    line("=", totalMib(parts), "in all"),
  ];
}

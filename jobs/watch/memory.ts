import type { Outcome } from "../../schema/outcome.ts";
import type { PlannedContainer } from "../../schema/plan.ts";
import type { ObservedPod } from "./observe.ts";

export type OutOfMemory = Extract<Outcome, { kind: "out-of-memory" }>;

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
export const NEAR_LIMIT = 0.85;

const ROUND_MIB = 256;
/** To whole quarters of a GiB. */
export const roundUp = (mib: number): number => Math.ceil(mib / ROUND_MIB) * ROUND_MIB;

/** `512 heap + 384 overhead = 896 MiB`. */
export const arithmetic = (container: PlannedContainer): string =>
  `${container.memoryParts
    .filter(({ mib }) => mib > 0)
    .map(({ what, mib }) => `${mib} ${what}`)
    .join(" + ")} = ${container.memory} MiB`;

/** The largest working set of a container that was seen, in MiB. */
export const peak = (pod: ObservedPod, container: string): number => pod.usage[container]?.peakMemoryMib ?? 0;

/** @param pod Its name. */
export const outOfMemory = (
  pod: string,
  container: PlannedContainer,
  detail: string,
  advice: string,
): OutOfMemory => ({
  kind: "out-of-memory",
  pod,
  container: container.name,
  limitMib: container.memory,
  message: `Container ${container.name} of pod ${pod} ran out of memory (limit ${container.memory} MiB): ${detail}.`,
  advice,
});

/** What the kernel did to a container that the kubelet calls OOMKilled. */
export const OOM_KILLED = "the kernel killed it at its limit (OOMKilled)";

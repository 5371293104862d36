import type { SparkPlan } from "../../schema/plan.ts";
import type { EngineRules } from "./engine-rules.ts";
import { exceptionOf } from "./exception.ts";
import type { ContainerEnd, ObservedRun } from "./observe.ts";
import { driverOutOfMemory, workerOutOfMemory } from "./spark-memory.ts";

/** Spark's driver fails by itself, by its executors, or by lost memory of either. */
export const sparkRules = (plan: SparkPlan): EngineRules => ({
  driver: "driver",
  outlivesWorkers: false,
  driverComesBack: false,
  failed: (known, pod, end) => {
    const exception = exceptionOf(known.driverLog.tail.map(({ line }) => line));
    const memory = driverOutOfMemory(known, plan, pod, end.exitCode);
    if (memory !== undefined) return memory;
    const worker = workerOutOfMemory(known, plan);
    if (worker !== undefined && mayComeFromWorkers(known, exception)) return worker;
    return {
      kind: "user-failure",
      exitCode: end.exitCode,
      ...(exception === undefined ? {} : { exception }),
      message: sentence(end, exception, worker?.message, evictedWorker(known)),
    };
  },
  workerOutOfMemory: (known) => workerOutOfMemory(known, plan),
  warnings: (pod) =>
    Object.keys(pod.oomKilled).map((name) => ({
      key: `${pod.view.uid}/${name}`,
      text: `Container ${name} of pod ${pod.view.name} ran out of memory.`,
    })),
});

/** A driver that fails by its executors says so, or says nothing of its own. */
function mayComeFromWorkers(known: ObservedRun, exception: string | undefined): boolean {
  if (exception === undefined) return true;
  const text = [exception, ...known.driverLog.tail.slice(-150).map(({ line }) => line)].join("\n");
  return /ExecutorLostFailure|Master removed our application|OutOfMemoryError|MemoryError|Python worker exited unexpectedly/.test(
    text,
  );
}

/** A worker that the kubelet evicted, mostly for filling its disk. */
const evictedWorker = (known: ObservedRun): string | undefined => {
  const pod = Object.values(known.pods).find(
    ({ view }) => view.role === "worker" && view.reason === "Evicted",
  );
  return pod === undefined
    ? undefined
    : `Worker ${pod.view.name} was evicted: ${pod.view.message ?? "no message"}`;
};

function sentence(
  end: ContainerEnd,
  exception: string | undefined,
  ...notes: readonly (string | undefined)[]
): string {
  const code = `The driver ended with exit code ${end.exitCode}`;
  const head =
    end.reason === "StartError" || end.reason === "ContainerCannotRun"
      ? `The driver's command could not be started: ${end.message ?? end.reason}`
      : exception !== undefined
        ? `${code}: ${exception}`
        : end.exitCode === 137
          ? `${code}: it was killed (SIGKILL), though no lack of memory was seen`
          : `${code} and showed no exception`;
  return (
    [head, ...notes.filter((note) => note !== undefined)].map((text) => text.replace(/\.$/, "")).join(". ") +
    "."
  );
}

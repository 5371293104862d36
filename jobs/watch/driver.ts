import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { exceptionOf } from "./exception.ts";
import { driverOutOfMemory, workerOutOfMemory } from "./memory.ts";
import type { ContainerEnd, ObservedPod, ObservedRun } from "./observe.ts";

/**
 * The outcome by the driver container's own end, found by its name: never by its place in the list, never by the pod's phase, which
 * sidecars and evictions bend. Undefined while it runs, and where its end is the pod's loss.
 */
export function driverEnd(known: ObservedRun, plan: Plan, pod: ObservedPod): Outcome | undefined {
  const end = pod.view.containers.find(({ name }) => name === plan.coordinator.driver.name)?.ended;
  if (end === undefined || isUnknown(end)) return undefined;
  // A driver that is told to go may well end with 0 on SIGTERM, its work undone.
  if (wasTakenAway(pod, end)) return undefined;
  if (end.exitCode === 0) return { kind: "succeeded" };

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
}

/**
 * Nobody knows how it ended. The kubelet says so of a pod that it lost sight of; containerd, once it is started again, of a container whose
 * process it can't find: code 255, reason Unknown (unknownExitCode and unknownExitReason of its CRI server).
 */
const isUnknown = ({ reason, exitCode }: ContainerEnd): boolean =>
  reason === "ContainerStatusUnknown" || (reason === "Unknown" && exitCode === 255);

/** Whether the pod was being removed when its driver ended. Same second counts: the cluster's times have no parts of one. */
function wasTakenAway(pod: ObservedPod, end: ContainerEnd): boolean {
  const finished = end.finishedAt ?? Number.POSITIVE_INFINITY;
  const { deletionAskedAt, disruption, phase, reason } = pod.view;
  if (deletionAskedAt !== undefined && deletionAskedAt <= finished) return true;
  if (disruption !== undefined && (disruption.at ?? 0) <= finished) return true;
  return phase === "Failed" && reason !== undefined && end.exitCode !== 0 && POD_REASONS.has(reason);
}

/** Reasons that the kubelet gives a pod which it ended itself. */
const POD_REASONS = new Set(["Evicted", "Preempting", "Shutdown", "NodeShutdown", "Terminated", "NodeLost"]);

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

/** A coordinator that will not give an exit code any more, and since when we know. */
export interface Loss {
  readonly seenAt: number;
  readonly outcome: Outcome;
}

/** Whether the coordinator pod was lost: removed, evicted, preempted, or its node went away. */
export function lostCoordinator(plan: Plan, pod: ObservedPod): Loss | undefined {
  const { name, node, phase, reason, message, disruption, deletionAskedAt } = pod.view;
  const seen = pod.lossSeenAt ?? pod.firstSeenAt;
  const disk = /ephemeral[- ]storage|emptyDir|EmptyDir/.test(message ?? "");
  const ended = pod.view.containers.find(
    ({ name: container }) => container === plan.coordinator.driver.name,
  )?.ended;
  if (reason === "Evicted" && disk) {
    return {
      seenAt: seen,
      outcome: {
        kind: "user-failure",
        exitCode: ended?.exitCode ?? 137,
        message: `Pod ${name} filled its local disk and was evicted: ${(message ?? "").trim()} Set a larger scratch.size.`,
      },
    };
  }
  const why =
    disruption === undefined
      ? undefined
      : `${disruption.reason}${disruption.message === "" ? "" : `, ${disruption.message}`}`;
  const lost = (text: string): Loss => ({ seenAt: seen, outcome: { kind: "lost", message: text } });
  if (disruption !== undefined) {
    return lost(`Pod ${name} with the driver was taken off node ${node ?? "?"}: ${why ?? ""}.`);
  }
  if (pod.goneSeenAt !== undefined || deletionAskedAt !== undefined) {
    const text =
      ended?.exitCode === 0
        ? `Pod ${name} was deleted by someone else, and its driver ended with 0 only after that: not counted as a success.`
        : `Pod ${name} with the driver was deleted by someone else before the driver ended.`;
    return lost(text);
  }
  if (ended !== undefined && isUnknown(ended)) {
    return lost(
      `The container runtime or the kubelet of node ${node ?? "?"} lost sight of pod ${name}: nobody knows how the driver ended.`,
    );
  }
  if (phase === "Failed" || phase === "Unknown" || reason === "NodeLost") {
    const text = [reason, message].filter((part) => part !== undefined).join(", ");
    return lost(`Pod ${name} failed without an exit code of the driver: ${text === "" ? phase : text}.`);
  }
  return undefined;
}

import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { rulesOf } from "./engines.ts";
import { filledDisk, isUnknown, takenAway } from "./losses.ts";
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
  return comesBack(known, plan) ? undefined : rulesOf(plan).failed(known, pod, end);
}

/** Whether Kubernetes starts the driver again: its Job has tries left. */
const comesBack = (known: ObservedRun, plan: Plan): boolean =>
  rulesOf(plan).driverComesBack && known.controllers.Job?.failed === undefined;

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

/** A coordinator that will not give an exit code any more, and since when we know. */
export interface Loss {
  readonly seenAt: number;
  readonly outcome: Outcome;
}

/** Whether the coordinator pod was lost: removed, evicted, preempted, or its node went away. */
export function lostCoordinator(known: ObservedRun, plan: Plan, pod: ObservedPod): Loss | undefined {
  if (comesBack(known, plan)) return undefined;
  const { name, node, message, disruption, deletionAskedAt } = pod.view;
  const seenAt = pod.lossSeenAt ?? pod.firstSeenAt;
  const { driver } = rulesOf(plan);
  const ended = pod.view.containers.find(
    ({ name: container }) => container === plan.coordinator.driver.name,
  )?.ended;
  if (filledDisk(pod)) {
    return {
      seenAt,
      outcome: {
        kind: "user-failure",
        exitCode: ended?.exitCode ?? 137,
        message: `Pod ${name} filled its local disk and was evicted: ${(message ?? "").trim()} Set a larger scratch.size.`,
      },
    };
  }
  const lost = (text: string): Loss => ({ seenAt, outcome: { kind: "lost", message: text } });
  const removed = pod.goneSeenAt !== undefined || deletionAskedAt !== undefined;
  if (disruption === undefined && removed) {
    const text =
      ended?.exitCode === 0
        ? `Pod ${name} was deleted by someone else, and its ${driver} ended with 0 only after that: not counted as a success.`
        : `Pod ${name} with the ${driver} was deleted by someone else before the ${driver} ended.`;
    return lost(text);
  }
  const why = takenAway(pod);
  if (why !== undefined && disruption !== undefined)
    return lost(`Pod ${name} with the ${driver} is lost: ${why}.`);
  if (ended !== undefined && isUnknown(ended)) {
    return lost(
      `The container runtime or the kubelet of node ${node ?? "?"} lost sight of pod ${name}: nobody knows how the ${driver} ended.`,
    );
  }
  return why === undefined
    ? undefined
    : lost(`Pod ${name} is lost without an exit code of the ${driver}: ${why}.`);
}

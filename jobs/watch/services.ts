// What is told of the services beside a run. None of it is a verdict: a run goes on without its services, and calls them again.
import type { EventView, ObservedPod, PodRole } from "./observe.ts";
import { parseUnschedulable } from "./scheduling.ts";

/** Whether a pod is one of the run's own, whose fate is the run's. */
export const isOfRun = (role: PodRole): boolean => role === "coordinator" || role === "worker";

/** A container that has ended so often will hardly come right by itself. */
const OFTEN = 5;

/** An autoscaler has no metrics yet in its first seconds; after so many looks, 15 s apart, there is something wrong. */
const LOOKS = 8;

/** Each is told once by its key. */
interface Warning {
  readonly key: string;
  readonly text: string;
}

/** What is wrong with a pod of a service; nothing for other pods. */
export function serviceWarnings({ view, pull, oomKilled, goneSeenAt }: ObservedPod): Warning[] {
  if (!view.role.startsWith("service-") || goneSeenAt !== undefined) return [];
  const told: Warning[] = [];
  const tell = (what: string, text: string): void => {
    told.push({ key: `${view.uid}/${what}`, text: `Service pod ${view.name} ${text}; the run goes on.` });
  };
  for (const { name, restarts, endedBefore } of view.containers) {
    const how =
      oomKilled[name] === undefined
        ? `with exit code ${endedBefore?.exitCode ?? "unknown"}`
        : "out of memory";
    if (restarts >= 1) tell("restart", `ended ${how} and was started again`);
    if (restarts >= OFTEN) tell("restarts", `has ended ${restarts} times, last ${how}`);
  }
  if (pull?.open === true) tell("image", `can't pull image ${pull.image} (${pull.reason})`);
  if (view.node === undefined && view.unschedulable !== undefined)
    tell("node", `has no node: it needs ${parseUnschedulable(view.unschedulable)}`);
  return told;
}

/** What an autoscaler complains about, once it has done so for a while. */
export function autoscalerWarning({
  kind,
  name,
  uid,
  reason,
  message,
  count,
}: EventView): Warning | undefined {
  if (kind !== "HorizontalPodAutoscaler" || count < LOOKS || !/^FailedGet.*Metric/.test(reason))
    return undefined;
  return { key: uid, text: `Service ${name} is not scaled, for its metric can't be had: ${message}` };
}

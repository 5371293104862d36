import type { Plan } from "../../schema/plan.ts";
import { rulesOf } from "./engines.ts";
import type { Observation, ObservedPod, ObservedRun } from "./observe.ts";
import { isPassing } from "./refusal.ts";
import { parseUnschedulable } from "./scheduling.ts";
import { autoscalerWarning, serviceWarnings } from "./services.ts";
import type { WatchSink } from "./types.ts";
import { showsLife } from "./verdict.ts";

/** What a pod is doing, in a few words. */
export function podState(pod: ObservedPod): string {
  const { view, pull } = pod;
  if (pod.goneSeenAt !== undefined) return "gone";
  if (view.deletionAskedAt !== undefined) return "being removed";
  if (view.phase === "Failed" && view.reason !== undefined) return view.reason.toLowerCase();
  const main = view.containers.find(({ name }) => name !== "master");
  if (main?.ended !== undefined) return `ended ${main.ended.exitCode}`;
  if (pull?.open === true) return `can't pull its image (${pull.reason})`;
  if (view.node === undefined)
    return view.unschedulable === undefined
      ? "pending"
      : `no node yet: needs ${parseUnschedulable(view.unschedulable)}`;
  if (main?.runningSince !== undefined) return main.ready ? "running" : "started";
  const waiting = main?.waiting?.reason;
  if (waiting === undefined || waiting === "ContainerCreating") return "starting";
  if (waiting === "PodInitializing") {
    return view.containers.some(({ runningSince }) => runningSince !== undefined)
      ? "waiting for the master"
      : "starting";
  }
  return waiting;
}

/**
 * Tells a sink what changed, each thing once. Log lines, pods' states, `starting` with the first pod, `running` with the driver's
 * first sign of life. What the sink throws is told once to its own `warning` and else dropped: a display never ends a run.
 */
export function announcer(
  plan: Plan,
  sink: WatchSink,
): (observed: ObservedRun, observation: Observation) => void {
  const states = new Map<string, string>();
  const phases = new Set<string>();
  const warned = new Set<string>();
  const { warnings } = rulesOf(plan);
  const source = `${plan.coordinator.name}/${plan.coordinator.driver.name}`;
  const phase = (name: "starting" | "running", at: number): void => {
    if (phases.has(name)) return;
    phases.add(name);
    sink.phase?.(name, new Date(at));
  };
  const warn = (key: string, text: string): void => {
    if (warned.has(key)) return;
    warned.add(key);
    sink.warning?.(text);
  };
  const warnOf = (warning: { readonly key: string; readonly text: string } | undefined): void => {
    if (warning !== undefined) warn(warning.key, warning.text);
  };

  const tell = (observed: ObservedRun, observation: Observation): void => {
    switch (observation.type) {
      case "driver-line":
        phase("running", observation.at);
        sink.log?.(source, observation.line);
        break;
      case "api":
        sink.warning?.(
          observation.reachable
            ? "The API server answers again."
            : "The API server does not answer; the run goes on, and is watched again as soon as it does.",
        );
        break;
      case "usage-refused":
        warn(
          "usage",
          `What the pods use can't be measured and will be missing in the report: ${observation.message}`,
        );
        break;
      case "pod":
      case "pod-gone":
      case "usage":
        for (const pod of Object.values(observed.pods)) {
          phase("starting", observation.at);
          if (pod.view.role === "coordinator" && showsLife(observed, pod)) phase("running", observation.at);
          const state = podState(pod);
          if (states.get(pod.view.uid) !== state) {
            states.set(pod.view.uid, state);
            sink.pod?.(pod.view.name, pod.view.role, state);
          }
          for (const { key, text } of [...warnings(pod), ...serviceWarnings(pod)]) warn(key, text);
        }
        break;
      case "event":
        if (observation.event.reason === "FailedCreate" && !isPassing(observation.event.message))
          warn(observation.event.uid, observation.event.message);
        warnOf(autoscalerWarning(observation.event));
        break;
      case "controller":
      case "namespace":
        break;
    }
  };
  return (observed, observation) => {
    try {
      tell(observed, observation);
    } catch (error) {
      try {
        warn("sink", `A display failed: ${error instanceof Error ? error.message : String(error)}`);
      } catch {
        // The sink can't even take a warning: there is nobody left to tell.
      }
    }
  };
}

import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { ObservedPod, ObservedRun } from "./observe.ts";

/** The scheduler's words and what they mean to people: https://github.com/kubernetes/kubernetes/tree/v1.34.3/pkg/scheduler/framework/plugins */
const MEANINGS: readonly (readonly [RegExp, (match: RegExpExecArray) => string])[] = [
  [/^Insufficient (cpu|memory|ephemeral-storage|pods)$/, ([, resource]) => RESOURCES[resource ?? ""] ?? ""],
  [/^Insufficient (.+)$/, ([, resource]) => `free ${resource ?? ""}`],
  [/^Too many pods$/, () => "room for more pods"],
  [/^node\(s\) didn't match Pod's node affinity(\/selector)?$/, () => "a node with the pool's labels"],
  [/^node\(s\) didn't match pod topology spread constraints/, () => "a node that keeps the spread"],
  [
    /^node\(s\) had untolerated taint\(?s?\)? ?\{?([^}:]*).*$/,
    ([, taint]) => `a node without the taint ${taint ?? ""}`,
  ],
  [/^node\(s\) were unschedulable$/, () => "a node that is not cordoned"],
  [/^node\(s\) had volume node affinity conflict$/, () => "a node in the zone of the pod's volume"],
  [/^node\(s\) didn't find available persistent volumes to bind$/, () => "a volume for the pod's claim"],
  [/unbound immediate PersistentVolumeClaims/, () => "a volume for the pod's claim"],
  [/^persistentvolumeclaim "([^"]+)" not found$/, ([, claim]) => `the volume claim ${claim ?? ""}`],
  [/^node\(s\) didn't have free ports/, () => "a node with the pod's host ports free"],
  [/^max node group size reached$/, () => "room in the node group: it is at its largest size"],
];

const RESOURCES: Readonly<Record<string, string>> = {
  cpu: "free CPU",
  memory: "free memory",
  "ephemeral-storage": "free local disk",
  pods: "room for more pods",
};

/**
 * What a scheduler's or autoscaler's message says is missing: `free memory (on 2 of 3 nodes), a node with the pool's labels (1 of
 * 3)`. Gives the message itself where it is of no known form.
 */
export function parseUnschedulable(message: string): string {
  const body = /^(?:(\d+)\/(\d+) nodes are available|pod didn't trigger scale-up[^:]*): (.*)$/s.exec(
    message.trim(),
  );
  if (/^no nodes available to schedule pods/.test(message.trim())) return "any node at all";
  if (body?.[3] === undefined) return message.trim() === "" ? "a node that fits" : message.trim();
  const total = body[2];
  const reasons = body[3]
    .replace(/\s*(preemption: .*|no new claims to deallocate.*)$/s, "")
    .replace(/\.\s*$/, "");
  const parts = reasons
    .split(/, (?=\d+ )|, (?=\{)/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const named = parts.map((part) => {
    const counted = /^(\d+) (.*)$/s.exec(part);
    const count = counted?.[1];
    const text = (counted?.[2] ?? part).replace(/\.$/, "");
    let what = text;
    for (const [pattern, meaning] of MEANINGS) {
      const match = pattern.exec(text);
      if (match !== null) {
        what = meaning(match);
        break;
      }
    }
    if (count === undefined || total === undefined) return what;
    return total === "1" ? what : `${what} (on ${count} of ${total} nodes)`;
  });
  return [...new Set(named)].join(", ");
}

/** How long an autoscaler's `can't help` must stand before it is believed: it also says so while another scale-up goes on. */
const NO_SCALE_UP_SECONDS = 60;

/**
 * Whether a pod can't get a node: at the pending deadline, or earlier when the autoscaler says that it has none that would fit.
 * @param concerns Which pods count.
 */
export function schedulingVerdict(
  known: ObservedRun,
  plan: Plan,
  concerns: (pod: ObservedPod) => boolean,
  now: number,
): Outcome | undefined {
  for (const pod of Object.values(known.pods)) {
    if (pod.nodeSeenAt !== undefined || !concerns(pod)) continue;
    const events = Object.values(known.events).filter(({ about }) => about === pod.view.uid);
    const refused = events.find(({ reason }) => reason === "NotTriggerScaleUp");
    const triggered = events.some(({ reason }) => reason === "TriggeredScaleUp");
    const hopeless =
      refused !== undefined && !triggered && now - refused.firstSeenAt >= NO_SCALE_UP_SECONDS * 1000;
    const late = now - pod.firstSeenAt >= plan.deadlines.pending * 1000;
    if (!hopeless && !late) continue;
    const words =
      pod.view.unschedulable ??
      events.filter(({ reason }) => reason === "FailedScheduling").at(-1)?.message ??
      "";
    if (words === "" && !hopeless) {
      return {
        kind: "deadline",
        phase: "pending",
        limitSeconds: plan.deadlines.pending,
        message: `Pod ${pod.view.name} got no node within ${plan.deadlines.pending} s, and the scheduler gave no reason: is it running?`,
      };
    }
    const missing = parseUnschedulable(words === "" ? (refused?.message ?? "") : words);
    return {
      kind: "unschedulable",
      missing,
      message:
        `Pod ${pod.view.name} (${asks(plan, pod)}) found no node in pool ${plan.placed.pool}, zone ${plan.placed.zone}` +
        (late ? ` within ${plan.deadlines.pending} s` : ", and the autoscaler has none to add") +
        `. Missing: ${missing}.`,
    };
  }
  return undefined;
}

/** `2 cores, 4096 MiB`: what the pod asks for in all. */
function asks(plan: Plan, pod: ObservedPod): string {
  const containers =
    pod.view.role === "coordinator"
      ? [...plan.coordinator.sidecars, plan.coordinator.driver]
      : [plan.workers.container];
  const cpu = containers.reduce((sum, container) => sum + container.cpu, 0);
  const memory = containers.reduce((sum, container) => sum + container.memory, 0);
  return `asks ${cpu / 1000} CPU and ${memory} MiB`;
}

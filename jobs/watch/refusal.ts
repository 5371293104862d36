import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { ObservedRun } from "./observe.ts";
import { isOfRun } from "./services.ts";

/** An API server's refusal of a pod, as a controller's event FailedCreate repeats it. */
export interface Refusal {
  readonly by: "policy" | "quota";
  readonly message: string;
}

/**
 * Reads a FailedCreate message of a Job or StatefulSet. Undefined for what may pass by itself: a quota whose status is not
 * computed yet, a namespace that is being deleted, a webhook that does not answer.
 */
export function parseRefusal(message: string): Refusal | undefined {
  const exceeded =
    /exceeded quota: ([^,]+), requested: (.+?), used: (.+?), limited: (.+?)(?: (?:deny|error).*)?$/s.exec(
      message,
    );
  if (exceeded !== null) {
    const [, quota = "", requested = "", used = "", limited = ""] = exceeded;
    return {
      by: "quota",
      message: `Quota ${quota} refuses a pod: it asks for ${requested}, ${used} is in use, the limit is ${limited}`,
    };
  }
  const mustSpecify = /failed quota: ([^:]+): must specify (.+)$/s.exec(message);
  if (mustSpecify !== null) {
    const [, quota = "", what = ""] = mustSpecify;
    return { by: "quota", message: `Quota ${quota} refuses a pod that does not state ${what}` };
  }
  const security = /violates PodSecurity "([^"]+)": (.+)$/s.exec(message);
  if (security !== null) {
    const [, level = "", what = ""] = security;
    return { by: "policy", message: `Pod Security (${level}) refuses the pod: ${what.trim()}` };
  }
  const admission = /ValidatingAdmissionPolicy '([^']+)' .*?denied request: (.+)$/s.exec(message);
  if (admission !== null) {
    return {
      by: "policy",
      message: `Policy ${admission[1] ?? ""} refuses the pod: ${(admission[2] ?? "").trim()}`,
    };
  }
  const webhook = /admission webhook "([^"]+)" denied the request: ?(.*)$/s.exec(message);
  if (webhook !== null) {
    return {
      by: "policy",
      message: `Webhook ${webhook[1] ?? ""} refuses the pod: ${(webhook[2] ?? "").trim()}`,
    };
  }
  const limits = /is forbidden: \[?((?:maximum|minimum) .+ (?:usage|limit to request ratio) per .+)$/s.exec(
    message,
  );
  if (limits !== null) return { by: "policy", message: `A LimitRange refuses the pod: ${limits[1] ?? ""}` };
  return undefined;
}

/** Messages that say that nothing but time is missing. */
const PASSING =
  /status unknown for quota|unable to create new content in namespace|failed calling webhook|timed out|try again/;

/** Whether a refusal goes by itself, so that nobody need hear of it. */
export const isPassing = (message: string): boolean => PASSING.test(message);

/** A quota may count a pod that is just going, and its own status lags a little behind. */
const QUOTA_SECONDS = 15;

/**
 * Whether pods of the run are refused by a quota or policy. Judged only while the run never had all its pods: later refusals
 * concern replacements, and a quota that equals the plan refuses them until the old pod is gone.
 */
export function refusalVerdict(known: ObservedRun, plan: Plan, now: number): Outcome | undefined {
  const names = new Set(
    Object.values(known.pods)
      .filter(({ view }) => isOfRun(view.role))
      .map(({ view }) => view.name),
  );
  if (names.size >= plan.workers.count + 1) return undefined;
  const failed = Object.values(known.events)
    .filter(({ reason, kind }) => reason === "FailedCreate" && (kind === "Job" || kind === "StatefulSet"))
    .toSorted((a, b) => a.firstSeenAt - b.firstSeenAt || (a.uid < b.uid ? -1 : 1));
  for (const event of failed) {
    if (isPassing(event.message)) continue;
    const refusal = parseRefusal(event.message);
    if (refusal === undefined) continue;
    if (refusal.by === "quota" && now - event.firstSeenAt < QUOTA_SECONDS * 1000) continue;
    // Since then the controller may have made its pod: a Job has one, a StatefulSet says which one it could not make.
    if (event.kind === "Job" && Object.values(known.pods).some(({ view }) => view.role === "coordinator"))
      continue;
    const pod = /create Pod (\S+) in StatefulSet/.exec(event.message)?.[1];
    if (pod !== undefined && names.has(pod)) continue;
    return { kind: "refused", by: refusal.by, message: `${refusal.message.replace(/\.$/, "")}.` };
  }
  return undefined;
}

/** The last FailedCreate of any kind, for the message when no pod came in time. */
export const lastFailedCreate = (known: ObservedRun): string | undefined =>
  Object.values(known.events)
    .filter(({ reason }) => reason === "FailedCreate")
    .toSorted((a, b) => a.lastSeenAt - b.lastSeenAt)
    .at(-1)?.message;

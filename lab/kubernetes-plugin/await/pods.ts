import { type Json, listAt, numberAt, textAt } from "../json.ts";
import { conditionOf, explain, failed, type Judge, pending, READY } from "./verdict.ts";

/** Waiting reasons of every healthy start. */
const STARTING = new Set(["ContainerCreating", "PodInitializing"]);

/** What keeps a container from running, in words; undefined where nothing does. */
function containerProblem(status: Json): string | undefined {
  const name = textAt(status, "name") ?? "?";
  const waiting = textAt(status, "state", "waiting", "reason");
  const message = textAt(status, "state", "waiting", "message");
  const last = textAt(status, "lastState", "terminated", "reason");
  const lastCode = numberAt(status, ["lastState", "terminated", "exitCode"]);
  const before = last === undefined ? "" : `; it last ended with ${last}, exit code ${lastCode}`;
  if (waiting !== undefined && !STARTING.has(waiting))
    return `container "${name}": [${waiting}]${message === undefined ? "" : ` ${message}`}${before}`;
  const ended = textAt(status, "state", "terminated", "reason");
  const code = numberAt(status, ["state", "terminated", "exitCode"]);
  if (ended !== undefined && code !== 0) return `container "${name}" ended with ${ended}, exit code ${code}`;
  return undefined;
}

/** Why a pod does not run, one line per cause; empty for a healthy one. */
export function podProblems(pod: Json): readonly string[] {
  const name = textAt(pod, "metadata", "name") ?? "?";
  const problems: string[] = [];
  const scheduled = conditionOf(pod, "PodScheduled");
  if (scheduled?.status === "False") problems.push(explain(scheduled));
  for (const status of [
    ...listAt(pod, "status", "initContainerStatuses"),
    ...listAt(pod, "status", "containerStatuses"),
  ]) {
    const problem = containerProblem(status);
    if (problem !== undefined) problems.push(problem);
  }
  const reason = textAt(pod, "status", "reason");
  if (textAt(pod, "status", "phase") === "Failed" && reason !== undefined)
    problems.push(`[${reason}] ${textAt(pod, "status", "message") ?? ""}`.trimEnd());
  return problems.map((problem) => `Pod ${name}: ${problem}`);
}

/** Ready when its Ready condition holds, or when it has run to its end. */
export const judgePod: Judge = (pod) => {
  const phase = textAt(pod, "status", "phase");
  if (phase === "Succeeded" || conditionOf(pod, "Ready")?.status === "True") return READY;
  const problems = podProblems(pod).join("\n");
  if (phase === "Failed") return failed(problems === "" ? "the pod failed" : problems);
  if (problems !== "") return pending(problems);
  const ready = conditionOf(pod, "Ready");
  return pending(ready === undefined ? "waiting for the pod to be scheduled" : explain(ready));
};

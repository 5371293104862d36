import type { Outcome } from "../../schema/outcome.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { EngineRules } from "./engine-rules.ts";
import { exceptionOf } from "./exception.ts";
import { endOutOfMemory, memoryError, thrownOutOfMemory } from "./flink-memory.ts";
import { endedBySignal, filledDisk, isUnknown, takenAway } from "./losses.ts";
import type { OutOfMemory } from "./memory.ts";
import type { ContainerEnd, ObservedPod, ObservedRun } from "./observe.ts";

/** What a lost TaskManager was lost by: `cluster` for what no job can do anything about. */
type WorkerLoss =
  | { readonly by: "memory"; readonly key: string; readonly outcome: OutOfMemory }
  | { readonly by: "cluster" | "itself"; readonly key: string; readonly text: string };

/** Flink's JobManager outlives its TaskManagers; what their loss means to the job is its restart strategy's to say. */
export function flinkRules(plan: FlinkPlan): EngineRules {
  const stream = plan.kind === "stream";
  const goesOn = stream
    ? "Kubernetes starts it again, and Flink goes on from the newest checkpoint."
    : "Kubernetes starts it again; whether the job goes on is its restart strategy's matter.";
  return {
    driver: "JobManager",
    outlivesWorkers: stream,
    driverComesBack: plan.highAvailability !== undefined,
    failed: (known, pod, end) => jobManagerFailed(known, plan, pod, end),
    workerOutOfMemory: (known) => workersOutOfMemory(known, plan),
    warnings: (pod) =>
      lossesOf(plan, pod).map((loss) => ({
        key: loss.key,
        text:
          loss.by === "memory"
            ? `${loss.outcome.message} ${loss.outcome.advice}`
            : `TaskManager ${pod.view.name} was lost: ${loss.text}. ${goesOn}`,
      })),
  };
}

function jobManagerFailed(known: ObservedRun, plan: FlinkPlan, pod: ObservedPod, end: ContainerEnd): Outcome {
  const lines = known.driverLog.tail.map(({ line }) => line);
  const { driver } = plan.coordinator;
  const memory = endOutOfMemory(pod, driver, "jobManager", end, memoryError(lines));
  if (memory !== undefined) return memory;
  const signal = endedBySignal(end);
  if (signal !== undefined) {
    const sure = end.exitCode === 137 ? ", though no lack of memory was seen" : "";
    return { kind: "infrastructure", message: `The JobManager is lost: ${signal}${sure}.` };
  }
  const exception = exceptionOf(lines);
  const code = `The JobManager ended with exit code ${end.exitCode}`;
  const failure: Outcome = {
    kind: "user-failure",
    exitCode: end.exitCode,
    ...(exception === undefined ? {} : { exception }),
    message:
      end.reason === "StartError" || end.reason === "ContainerCannotRun"
        ? `The JobManager's command could not be started: ${end.message ?? end.reason}.`
        : `${code}${exception === undefined ? " and showed no exception" : `: ${exception.replace(/\.$/, "")}`}.`,
  };
  return blameWorkers(known, plan, failure);
}

/**
 * Exceptions that Flink's job fails with by a TaskManager that is gone. Of the JobMaster's and the ResourceManager's heartbeats, of its
 * network stack, and of the scheduler that waits for slots in vain.
 */
const LOST_TASKMANAGER =
  /heartbeat of TaskManager|TaskManager with id \S+ is no longer reachable|TaskExecutor is shutting down|indicates a restart of the TaskManager|remote task ?manager|NoResourceAvailableException|minimum required resources|Slot request bulk/i;

/**
 * A failure of the job that comes from the loss of a TaskManager is what that loss was: lost memory, or the cluster's fault, for which the
 * job is tried again. Pure; gives back what is none.
 */
export function blameWorkers(known: ObservedRun, plan: FlinkPlan, failure: Outcome): Outcome {
  if (failure.kind !== "user-failure") return failure;
  const { exception = failure.message } = failure;
  const thrown = thrownOutOfMemory(
    exception,
    { pod: podOf(known, "coordinator", plan.coordinator.name), container: plan.coordinator.driver },
    { pod: failedOn(known, plan), container: plan.workers.container },
  );
  if (thrown !== undefined) return thrown;
  if (!LOST_TASKMANAGER.test(exception)) return failure;
  const memory = workersOutOfMemory(known, plan);
  if (memory !== undefined) return memory;
  const losses = workers(known).flatMap((pod) => lossesOf(plan, pod).map((loss) => ({ loss, pod })));
  const last = losses.findLast(({ loss }) => loss.by !== "memory");
  if (last === undefined || last.loss.by === "memory") return failure;
  const text = `TaskManager ${last.pod.view.name} was lost: ${last.loss.text}`;
  return last.loss.by === "cluster"
    ? {
        kind: "infrastructure",
        message: `${text}. By its restart strategy the job failed with it: ${exception.replace(/\.$/, "")}.`,
      }
    : { ...failure, message: `${failure.message} ${text}.` };
}

const workers = (known: ObservedRun): readonly ObservedPod[] =>
  Object.values(known.pods).filter(({ view }) => view.role === "worker");

const podOf = (known: ObservedRun, role: ObservedPod["view"]["role"], fallback: string): string =>
  Object.values(known.pods).find(({ view }) => view.role === role)?.view.name ?? fallback;

/** The TaskManager on which a task failed last, by Flink's words `… switched from RUNNING to FAILED on worker-1 @ …`. */
function failedOn(known: ObservedRun, plan: FlinkPlan): string {
  const line = known.driverLog.tail.findLast(({ line: text }) => text.includes(" to FAILED on "))?.line;
  return / to FAILED on (\S+) @/.exec(line ?? "")?.[1] ?? podOf(known, "worker", `${plan.workers.name}-?`);
}

function workersOutOfMemory(known: ObservedRun, plan: FlinkPlan): OutOfMemory | undefined {
  for (const pod of workers(known)) {
    for (const loss of lossesOf(plan, pod)) if (loss.by === "memory") return loss.outcome;
  }
  return undefined;
}

/** What is known of a TaskManager's ends: of its container's, each of which Kubernetes starts again, and of its pod's. */
function lossesOf(plan: FlinkPlan, pod: ObservedPod): readonly WorkerLoss[] {
  const { view, oomKilled } = pod;
  if (view.role !== "worker") return [];
  const { container } = plan.workers;
  const seen = view.containers.find(({ name }) => name === container.name);
  const lives = seen?.restarts ?? 0;
  const away = takenAway(pod);
  const losses: WorkerLoss[] = [];
  // Each life once, though a later look shows it as the one before.
  const ends = [
    { life: lives - 1, end: seen?.endedBefore },
    { life: lives, end: seen?.ended },
  ];
  const killed = oomKilled[container.name];
  const all = killed === undefined ? ends : [{ life: "oom", end: killed }, ...ends];
  for (const { life, end } of all) {
    if (end === undefined) continue;
    const memory = endOutOfMemory(pod, container, "taskManagers", end);
    if (memory !== undefined) losses.push({ by: "memory", key: `${view.uid}/memory`, outcome: memory });
    // It ends because its pod goes: told with that.
    else if (away === undefined) losses.push({ ...ownEnd(end), key: `${view.uid}/${life}` });
  }
  if (filledDisk(pod)) {
    const text = `it filled its local disk and was evicted: ${(view.message ?? "").trim()} Set a larger scratch.size, or state.disk`;
    losses.push({ by: "itself", key: `${view.uid}/away`, text });
  } else if (away !== undefined) losses.push({ by: "cluster", key: `${view.uid}/away`, text: away });
  return losses;
}

function ownEnd(end: ContainerEnd): { readonly by: "cluster" | "itself"; readonly text: string } {
  const signal = endedBySignal(end);
  if (signal !== undefined) return { by: "cluster", text: signal };
  return isUnknown(end)
    ? { by: "cluster", text: "the container runtime lost sight of it" }
    : { by: "itself", text: `it ended with exit code ${end.exitCode}` };
}

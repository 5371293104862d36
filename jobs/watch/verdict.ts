import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { driverEnd, lostCoordinator } from "./driver.ts";
import { rulesOf } from "./engines.ts";
import { imageVerdict } from "./images.ts";
import type { ObservedPod, ObservedRun } from "./observe.ts";
import { lastFailedCreate, refusalVerdict } from "./refusal.ts";
import { schedulingVerdict } from "./scheduling.ts";
import { isOfRun } from "./services.ts";

/** How long a loss must stand: the driver's own end may still be on its way through another watch. */
const SETTLE_MS = 4000;
/** A container that ends again and again before the driver shows life will not come right. */
const RESTARTS = 5;

/**
 * How a run ended, or undefined while it goes on. Pure. The order of the questions is the order of trust: the driver's own end,
 * then the loss of it, then what keeps pods from starting, then the deadlines.
 * @param startedAt When the run was submitted, in ms.
 * @param now In ms; by the same clock as the observations' `at`.
 * @param watchedSince When this attempt's watch began, in ms: a run that waited in the queue, or is tried again, was submitted long before.
 */
export function verdict(
  known: ObservedRun,
  plan: Plan,
  startedAt: number,
  now: number,
  watchedSince: number = startedAt,
): Outcome | undefined {
  const coordinators = Object.values(known.pods).filter(({ view }) => view.role === "coordinator");
  for (const pod of coordinators) {
    const end = driverEnd(known, plan, pod);
    if (end !== undefined) return end;
  }
  const limitSeconds = plan.deadlines.run;
  const late: Outcome | undefined =
    limitSeconds === undefined || now - startedAt < limitSeconds * 1000
      ? undefined
      : {
          kind: "deadline",
          phase: "run",
          limitSeconds,
          message: `The run was still going on after its deadline of ${limitSeconds} s${standing(known, rulesOf(plan).driver)}.`,
        };
  // What we know is old: the pods may be well. Only the run's own deadline needs no news.
  if (known.unreachableSince !== undefined) return late;
  return (
    lost(known, plan, coordinators, now) ??
    stuck(known, plan, now) ??
    late ??
    silent(known, plan, coordinators, watchedSince, now)
  );
}

/** The coordinator, the namespace or a controller went away. */
function lost(
  known: ObservedRun,
  plan: Plan,
  coordinators: readonly ObservedPod[],
  now: number,
): Outcome | undefined {
  const settled = (since: number | undefined): boolean => since !== undefined && now - since >= SETTLE_MS;
  // Before the pods, which go with it.
  if (settled(known.namespace?.deletedSeenAt)) {
    return {
      kind: "lost",
      message: `Namespace ${plan.namespace} was deleted by someone else while the run went on.`,
    };
  }
  for (const pod of coordinators) {
    const loss = lostCoordinator(known, plan, pod);
    if (loss !== undefined && settled(loss.seenAt)) return loss.outcome;
  }
  for (const controller of Object.values(known.controllers)) {
    if (controller.deleted && settled(controller.at)) {
      return {
        kind: "lost",
        message: `${controller.kind} ${controller.name} was deleted by someone else while the run went on.`,
      };
    }
  }
  const job = known.controllers.Job;
  if (job?.failed !== undefined && settled(job.at)) {
    return {
      kind: "lost",
      message: `Job ${job.name} failed without an exit code of the ${rulesOf(plan).driver}: ${job.failed.message || job.failed.reason}.`,
    };
  }
  return undefined;
}

/** Which pods keep a run from going on when they don't start. */
type Concerns = (pod: ObservedPod) => boolean;

function concerning(known: ObservedRun, plan: Plan): Concerns {
  const workersLeft = Object.values(known.pods).some(
    ({ view, goneSeenAt, startSeenAt }) =>
      view.role === "worker" && goneSeenAt === undefined && startSeenAt !== undefined,
  );
  // Once all planned pods had a node, a worker that replaces a lost one may wait as long as another one works.
  const workersCount = known.completeSeenAt === undefined || (!workersLeft && !rulesOf(plan).outlivesWorkers);
  return ({ view, goneSeenAt }) =>
    goneSeenAt === undefined && (view.role === "coordinator" || (view.role === "worker" && workersCount));
}

/** Something keeps pods from starting, and says so. */
function stuck(known: ObservedRun, plan: Plan, now: number): Outcome | undefined {
  const concerns = concerning(known, plan);
  return (
    imageVerdict(known, concerns, plan.deadlines.image, now) ??
    refusalVerdict(known, plan, now) ??
    schedulingVerdict(known, plan, concerns, now) ??
    restarting(known, plan)
  );
}

/** Containers that end again and again: the master before the driver shows life, or the workers with none left that is ready. */
function restarting(known: ObservedRun, plan: Plan): Outcome | undefined {
  const live = Object.values(known.pods).filter(
    ({ view, goneSeenAt }) => isOfRun(view.role) && goneSeenAt === undefined,
  );
  const { outlivesWorkers, workerOutOfMemory } = rulesOf(plan);
  const goesOn = outlivesWorkers && known.completeSeenAt !== undefined;
  const worksOn = live.some(
    ({ view }) => view.role === "worker" && view.containers.every(({ ready }) => ready),
  );
  for (const pod of live) {
    const container = pod.view.containers.find(({ restarts }) => restarts >= RESTARTS);
    if (container === undefined) continue;
    if (pod.view.role === "coordinator" ? showsLife(known, pod) : worksOn || goesOn) continue;
    const memory = pod.view.role === "worker" ? workerOutOfMemory(known) : undefined;
    const code = container.endedBefore?.exitCode ?? container.ended?.exitCode;
    return (
      memory ?? {
        kind: "infrastructure",
        message: `Container ${container.name} of pod ${pod.view.name} ended ${container.restarts} times, last with exit code ${code ?? "unknown"}.`,
      }
    );
  }
  return undefined;
}

/** Nothing fails aloud, but what should have happened by now has not. */
function silent(
  known: ObservedRun,
  plan: Plan,
  coordinators: readonly ObservedPod[],
  watchedSince: number,
  now: number,
): Outcome | undefined {
  const { pending, image, start } = plan.deadlines;
  if (coordinators.length === 0) {
    // The objects themselves take time to be made: count from the namespace.
    if (now - (known.namespace?.seenAt ?? watchedSince) < pending * 1000) return undefined;
    const why = lastFailedCreate(known);
    return {
      kind: "infrastructure",
      message: `No coordinator pod was made within ${pending} s${why === undefined ? ": is the controller manager running?" : `: ${why}`}`,
    };
  }
  for (const pod of Object.values(known.pods).filter(concerning(known, plan))) {
    if (pod.nodeSeenAt === undefined) continue;
    if (pod.startSeenAt === undefined) {
      if (now - pod.nodeSeenAt < image * 1000) continue;
      return {
        kind: "deadline",
        phase: "image",
        limitSeconds: image,
        message: `No container of pod ${pod.view.name} started within ${image} s on node ${pod.view.node ?? "?"}${complaint(known, pod)}.`,
      };
    }
    if (pod.view.role !== "coordinator" || showsLife(known, pod)) continue;
    if (now - pod.startSeenAt < start * 1000) continue;
    return {
      kind: "deadline",
      phase: "start",
      limitSeconds: start,
      message: `The ${rulesOf(plan).driver} in pod ${pod.view.name} showed no sign of life within ${start} s${complaint(known, pod)}.`,
    };
  }
  return undefined;
}

/** CPU time that a JVM needs to begin with; a shell that waits for the master needs far less. */
const LIFE_CPU_SECONDS = 1;

/** The driver wrote a line, or worked for a while. */
export function showsLife(known: ObservedRun, coordinator: ObservedPod): boolean {
  return (
    known.firstLineSeenAt !== undefined || (coordinator.usage["driver"]?.cpuSeconds ?? 0) >= LIFE_CPU_SECONDS
  );
}

/** What the kubelet says of a pod that does not get on: a waiting reason, else its last warning. */
function complaint(known: ObservedRun, pod: ObservedPod): string {
  const waiting = pod.view.containers
    .map(({ waiting: state }) => state)
    .find(
      (state) =>
        state !== undefined && state.reason !== "ContainerCreating" && state.reason !== "PodInitializing",
    );
  if (waiting !== undefined)
    return `: ${waiting.reason}${waiting.message === undefined ? "" : `, ${waiting.message}`}`;
  const warning = Object.values(known.events)
    .filter(({ about, warning: bad }) => about === pod.view.uid && bad)
    .toSorted((a, b) => a.lastSeenAt - b.lastSeenAt)
    .at(-1);
  return warning === undefined ? "" : `: ${warning.message}`;
}

/** What to add to the message of a run that took too long. */
function standing(known: ObservedRun, driver: string): string {
  if (known.unreachableSince !== undefined) return ", and the API server did not answer at the end";
  if (known.firstLineSeenAt === undefined) return `; its ${driver} had not yet written a line`;
  const last = known.driverLog.tail.at(-1)?.line;
  return last === undefined ? "" : `; the ${driver}'s last line: ${last.slice(0, 200).replace(/\.$/, "")}`;
}

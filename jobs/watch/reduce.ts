import { pullRank } from "./images.ts";
import { memoryClue } from "./memory.ts";
import type {
  ContainerEnd,
  ContainerView,
  Observation,
  ObservedLog,
  ObservedPod,
  ObservedPull,
  ObservedRun,
  ObservedUsage,
  PodView,
  UsageView,
} from "./observe.ts";
import { isOfRun } from "./services.ts";

/** Lines of the driver's log kept for finding the exception: a Py4J trace with its causes is 100 to 250 lines long. */
const TAIL_LINES = 400;
/** Longer lines say no more to people. */
const LINE_LENGTH = 4000;
const MEMORY_CLUES = 20;

/** What is known before anything was seen. */
export const nothingObserved: ObservedRun = {
  pods: {},
  gone: {},
  events: {},
  controllers: {},
  namespace: undefined,
  completeSeenAt: undefined,
  driverLog: { lines: 0, tail: [], memory: [] },
  firstLineSeenAt: undefined,
  driverSeenAt: undefined,
  usageRefused: undefined,
  unreachableSince: undefined,
};

const first = (known: number | undefined, seen: number | undefined): number | undefined =>
  known === undefined ? seen : seen === undefined ? known : Math.min(known, seen);

/**
 * Adds one fact to what is known. Pure; facts may come twice and in any order: what is mutable is taken from the newest version of
 * an object, ends are never taken back, and first times are the smallest seen.
 * @param plannedPods Number of pods of the plan, to know when all of them have a node.
 */
export function reduce(known: ObservedRun, fact: Observation, plannedPods: number): ObservedRun {
  switch (fact.type) {
    case "pod":
      return withPod(known, fact.at, fact.pod, plannedPods);
    case "pod-gone": {
      const since = first(known.gone[fact.uid], fact.at) ?? fact.at;
      const next = { ...known, gone: { ...known.gone, [fact.uid]: since } };
      const pod = known.pods[fact.uid];
      if (pod === undefined) return next;
      return put(next, { ...pod, goneSeenAt: since, lossSeenAt: first(pod.lossSeenAt, since) });
    }
    case "event": {
      const before = known.events[fact.event.uid];
      const newest = before === undefined || fact.event.count >= before.count ? fact.event : before;
      const seen = {
        ...newest,
        firstSeenAt: first(before?.firstSeenAt, fact.at) ?? fact.at,
        lastSeenAt: Math.max(before?.lastSeenAt ?? 0, fact.at),
      };
      return { ...known, events: { ...known.events, [fact.event.uid]: seen } };
    }
    case "controller": {
      const before = known.controllers[fact.kind];
      if (before !== undefined && (before.deleted || before.version > fact.version) && !fact.deleted)
        return known;
      const failed = fact.failed ?? before?.failed;
      return { ...known, controllers: { ...known.controllers, [fact.kind]: { ...fact, failed } } };
    }
    case "namespace": {
      const gone = fact.state === "present" ? undefined : fact.at;
      return {
        ...known,
        namespace: {
          seenAt: first(known.namespace?.seenAt, fact.at) ?? fact.at,
          deletedAt: first(known.namespace?.deletedAt, fact.deletedAt),
          deletedSeenAt: first(known.namespace?.deletedSeenAt, gone),
        },
      };
    }
    case "driver-line":
      return {
        ...known,
        firstLineSeenAt: first(known.firstLineSeenAt, fact.at),
        driverLog: withLine(known.driverLog, fact.index, fact.line.slice(0, LINE_LENGTH)),
      };
    case "usage":
      return fact.samples.reduce(withSample, known);
    case "usage-refused":
      return { ...known, usageRefused: known.usageRefused ?? fact.message };
    case "api":
      return { ...known, unreachableSince: fact.reachable ? undefined : (known.unreachableSince ?? fact.at) };
  }
}

const put = (known: ObservedRun, pod: ObservedPod): ObservedRun => ({
  ...known,
  pods: { ...known.pods, [pod.view.uid]: pod },
});

const started = (container: ContainerView): boolean =>
  container.runningSince !== undefined || container.ended !== undefined || container.restarts > 0;

const leaving = (pod: PodView): boolean =>
  pod.deletionAskedAt !== undefined ||
  pod.disruption !== undefined ||
  pod.phase === "Failed" ||
  pod.phase === "Unknown";

/** The newer of two views, with what the older knew and the newer lost: a container's end, a disruption. */
function merge(before: PodView | undefined, pod: PodView): PodView {
  if (before === undefined) return pod;
  const [older, newer] = before.version > pod.version ? [pod, before] : [before, pod];
  return {
    ...newer,
    node: newer.node ?? older.node,
    ip: newer.ip ?? older.ip,
    scheduledAt: newer.scheduledAt ?? older.scheduledAt,
    startedAt: newer.startedAt ?? older.startedAt,
    deletionAskedAt: first(newer.deletionAskedAt, older.deletionAskedAt),
    disruption: newer.disruption ?? older.disruption,
    containers:
      newer.containers.length === 0
        ? older.containers
        : newer.containers.map((container) =>
            mergeContainer(
              older.containers.find(({ name }) => name === container.name),
              container,
            ),
          ),
  };
}

/** A kubelet that lost sight of a container makes up an end; one that was seen before is the truth. */
function mergeContainer(older: ContainerView | undefined, newer: ContainerView): ContainerView {
  const madeUp = newer.ended === undefined || newer.ended.reason === "ContainerStatusUnknown";
  if (older?.ended === undefined || older.restarts !== newer.restarts || !madeUp) return newer;
  return { ...newer, waiting: undefined, runningSince: undefined, ended: older.ended };
}

function oomEnds(container: ContainerView): readonly ContainerEnd[] {
  return [container.endedBefore, container.ended]
    .filter((end) => end?.reason === "OOMKilled")
    .filter(isDefined);
}

const isDefined = <T>(value: T | undefined): value is T => value !== undefined;

function pullTrouble(
  before: ObservedPull | undefined,
  pod: PodView,
  newest: PodView,
  at: number,
): ObservedPull | undefined {
  const find = (view: PodView): ContainerView | undefined =>
    view.containers.find(({ waiting }) => waiting !== undefined && pullRank(waiting) > 0);
  const open = find(newest) !== undefined;
  const container = find(pod);
  if (container?.waiting === undefined) return before === undefined ? undefined : { ...before, open };
  const { reason, message = "" } = container.waiting;
  const telling = before === undefined || pullRank({ reason, message }) > pullRank(before);
  return {
    image: container.image,
    reason: telling ? reason : before.reason,
    message: telling ? message : before.message,
    sinceSeenAt: first(before?.sinceSeenAt, at) ?? at,
    open,
  };
}

function withPod(known: ObservedRun, at: number, pod: PodView, plannedPods: number): ObservedRun {
  const before = known.pods[pod.uid];
  const view = merge(before?.view, pod);
  const newest = before !== undefined && before.view.version > pod.version ? before.view : pod;
  const oomKilled = { ...before?.oomKilled };
  for (const container of pod.containers) {
    const end = oomEnds(container)[0];
    if (end !== undefined) oomKilled[container.name] ??= end;
  }
  const observed: ObservedPod = {
    view,
    firstSeenAt: first(before?.firstSeenAt, at) ?? at,
    unschedulableSeenAt: first(before?.unschedulableSeenAt, pod.unschedulable === undefined ? undefined : at),
    nodeSeenAt: first(before?.nodeSeenAt, pod.node === undefined ? undefined : at),
    startSeenAt: first(before?.startSeenAt, pod.containers.some(started) ? at : undefined),
    goneSeenAt: known.gone[pod.uid],
    lossSeenAt: first(first(before?.lossSeenAt, known.gone[pod.uid]), leaving(pod) ? at : undefined),
    pull: pullTrouble(before?.pull, pod, newest, at),
    oomKilled,
    usage: before?.usage ?? {},
  };
  const driver =
    pod.role === "coordinator" ? pod.containers.find(({ name }) => name === "driver") : undefined;
  const next = put(known, observed);
  // By name: a pod that replaces another does not make a run complete.
  const placed = new Set(
    Object.values(next.pods)
      .filter(({ view: { role }, nodeSeenAt }) => isOfRun(role) && nodeSeenAt !== undefined)
      .map((other) => other.view.name),
  ).size;
  return {
    ...next,
    driverSeenAt: first(known.driverSeenAt, driver !== undefined && started(driver) ? at : undefined),
    completeSeenAt: first(known.completeSeenAt, placed >= plannedPods ? at : undefined),
  };
}

function withLine(log: ObservedLog, index: number, line: string): ObservedLog {
  const tail = log.tail;
  const last = tail.at(-1);
  const entry = { index, line };
  const isNew = last === undefined || last.index < index || !tail.some((other) => other.index === index);
  let next = tail;
  if (isNew) {
    next =
      last === undefined || last.index < index
        ? [...tail, entry]
        : [...tail, entry].sort((a, b) => a.index - b.index);
    if (next.length > TAIL_LINES) next = next.slice(-TAIL_LINES);
  }
  const clue = memoryClue(line) !== undefined && !log.memory.some((other) => other.index === index);
  return {
    lines: Math.max(log.lines, index + 1),
    tail: next,
    memory: clue
      ? [...log.memory, entry].sort((a, b) => a.index - b.index).slice(0, MEMORY_CLUES)
      : log.memory,
  };
}

function withSample(known: ObservedRun, sample: UsageView): ObservedRun {
  const pod = Object.values(known.pods)
    .filter(({ view, goneSeenAt }) => view.name === sample.pod && goneSeenAt === undefined)
    .at(-1);
  if (pod === undefined) return known;
  const before = pod.usage[sample.container];
  return put(known, { ...pod, usage: { ...pod.usage, [sample.container]: addSample(before, sample) } });
}

function addSample(before: ObservedUsage | undefined, sample: UsageView): ObservedUsage {
  const last = before?.last;
  const peakMemoryMib = Math.max(before?.peakMemoryMib ?? 0, sample.memoryMib);
  if (before === undefined || last === undefined) {
    return { peakMemoryMib, cpuSeconds: sample.cpuSeconds, mibSeconds: 0, last: sample };
  }
  if (sample.at <= last.at) return { ...before, peakMemoryMib };
  // The counter begins anew with each life of the container.
  const spent =
    sample.cpuSeconds >= last.cpuSeconds ? sample.cpuSeconds - last.cpuSeconds : sample.cpuSeconds;
  const seconds = (sample.at - last.at) / 1000;
  return {
    peakMemoryMib,
    cpuSeconds: (before.cpuSeconds ?? 0) + spent,
    mibSeconds: (before.mibSeconds ?? 0) + ((last.memoryMib + sample.memoryMib) / 2) * seconds,
    last: sample,
  };
}

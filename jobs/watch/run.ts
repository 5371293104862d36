import { setTimeout as sleep } from "node:timers/promises";
import { anySignal } from "../../base/abort.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { announcer } from "./announce.ts";
import type { ApiError } from "./api.ts";
import { steadyClock } from "./clock.ts";
import { type Cluster, explain } from "./cluster.ts";
import { driverEnd } from "./driver.ts";
import { followLog } from "./logs.ts";
import type { Observation, ObservedRun } from "./observe.ts";
import { nothingObserved, reduce } from "./reduce.ts";
import { watchCollection } from "./stream.ts";
import type { WatchOptions, WatchResult } from "./types.ts";
import { sampleUsage } from "./usage.ts";
import { verdict } from "./verdict.ts";
import { controllerObservation, eventView, namespaceObservation, podView } from "./views.ts";

/** How often deadlines are looked at; news is judged at once. */
const TICK_MS = 500;
/** How long to wait for the rest of the driver's log once the driver ended: its exception is at the end. */
const DRAIN_MS = 5000;

/**
 * Watches a run until it has an outcome or `signal` aborts. May be called before the namespace exists. Survives dropped watches
 * and an API server that is away for a while.
 * @throws UserError `cluster-forbidden` where the pods can't be watched at all
 */
export async function watchRun(cluster: Cluster, plan: Plan, options: WatchOptions): Promise<WatchResult> {
  const stop = new AbortController();
  const signal = anySignal([options.signal, stop.signal]);
  const started = options.startedAt.getTime();
  const now = options.clock ?? steadyClock();
  const watchedSince = now();
  const plannedPods = plan.workers.count + 1;
  const announce = announcer(plan, options.sink ?? {});
  const wake = Promise.withResolvers<Outcome | undefined>();

  let observed: ObservedRun =
    options.underWay === true ? { ...nothingObserved, completeSeenAt: watchedSince } : nothingObserved;
  let log: Promise<void> | undefined;
  let drained = false;
  const judge = (): void => {
    if (ended(observed, plan) && !drained) return;
    const outcome = verdict(observed, plan, started, now(), watchedSince);
    if (outcome !== undefined) wake.resolve(outcome);
  };
  const give = (observation: Observation): void => {
    observed = reduce(observed, observation, plannedPods);
    announce(observed, observation);
    if (observation.type === "pod" && log === undefined && observed.driverSeenAt !== undefined) {
      log = drainLog();
    }
    if (observation.type !== "usage" && observation.type !== "driver-line") judge();
  };

  /** Follows the driver's log to its end, but not for long after the driver's. */
  const drainLog = async (): Promise<void> => {
    let index = 0;
    const target = {
      namespace: plan.namespace,
      pod: coordinatorName(observed) ?? plan.coordinator.name,
      container: plan.coordinator.driver.name,
    };
    try {
      const following = followLog(
        cluster,
        target,
        (line) => {
          give({ type: "driver-line", at: now(), index: index++, line });
        },
        signal,
        () => ended(observed, plan),
      );
      await Promise.race([following, endedFor(DRAIN_MS)]);
    } catch (error) {
      options.sink?.warning?.(`The driver's log can't be read: ${message(explain(error, cluster))}`);
    }
    drained = true;
    judge();
  };
  const endedFor = async (ms: number): Promise<void> => {
    let since: number | undefined;
    while (!isAborted(signal)) {
      if (ended(observed, plan)) since ??= now();
      if (since !== undefined && now() - since >= ms) return;
      await pause(200, signal);
    }
  };

  const work = [
    watchPods(cluster, plan, give, now, () => observed, signal),
    watchEvents(cluster, plan, give, now, signal, options),
    watchController(cluster, plan, "Job", give, now, signal, options),
    watchController(cluster, plan, "StatefulSet", give, now, signal, options),
    watchNamespace(cluster, plan, give, now, () => observed, signal, options),
    sampleUsage(cluster, plan.namespace, () => nodes(observed), give, signal),
  ];
  const failed = Promise.all(work).then(() => undefined);
  const ticker = setInterval(judge, TICK_MS);
  const onAbort = (): void => {
    wake.resolve(undefined);
  };
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  try {
    const outcome = await Promise.race([wake.promise, failed]);
    return { outcome, observed };
  } finally {
    clearInterval(ticker);
    options.signal.removeEventListener("abort", onAbort);
    stop.abort();
    await Promise.allSettled([...work, log ?? Promise.resolve()]);
  }
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const isAborted = (signal: AbortSignal): boolean => signal.aborted;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch {
    // Aborted: the caller's loop sees it.
  }
}

const coordinators = (observed: ObservedRun) =>
  Object.values(observed.pods).filter(({ view }) => view.role === "coordinator");

const coordinatorName = (observed: ObservedRun): string | undefined => coordinators(observed)[0]?.view.name;

/** Whether the driver has ended by itself, so that its log has an end. */
const ended = (observed: ObservedRun, plan: Plan): boolean =>
  coordinators(observed).some((pod) => driverEnd(observed, plan, pod) !== undefined);

const nodes = (observed: ObservedRun): ReadonlySet<string> =>
  new Set(
    Object.values(observed.pods)
      .filter(({ goneSeenAt, startSeenAt }) => goneSeenAt === undefined && startSeenAt !== undefined)
      .map(({ view }) => view.node)
      .filter((node) => node !== undefined),
  );

type Give = (observation: Observation) => void;

/** Rejects where the very first list is forbidden: without pods there is no outcome. */
async function watchPods(
  cluster: Cluster,
  plan: Plan,
  give: Give,
  now: () => number,
  observed: () => ObservedRun,
  signal: AbortSignal,
): Promise<void> {
  const refused = new AbortController();
  let listed = false;
  let reachable = true;
  await watchCollection(
    cluster,
    `/api/v1/namespaces/${plan.namespace}/pods`,
    {},
    {
      onList: (objects) => {
        listed = true;
        const at = now();
        const pods = objects.map(podView);
        const there = new Set(pods.map(({ uid }) => uid));
        for (const pod of pods) give({ type: "pod", at, pod });
        for (const [uid, { goneSeenAt }] of Object.entries(observed().pods)) {
          if (goneSeenAt === undefined && !there.has(uid)) give({ type: "pod-gone", at, uid });
        }
      },
      onChange: (object, deleted) => {
        const at = now();
        const pod = podView(object);
        give({ type: "pod", at, pod });
        if (deleted) give({ type: "pod-gone", at, uid: pod.uid });
      },
      onReachable: (answers) => {
        if (answers === reachable) return;
        reachable = answers;
        give({ type: "api", at: now(), reachable });
      },
      onRefused: (error) => {
        if (!listed) refused.abort(error);
      },
    },
    anySignal([signal, refused.signal]),
  );
  if (refused.signal.aborted) throw explain(refused.signal.reason, cluster);
}

/** Tells once that something can't be watched: the run goes on with less to say about its troubles. */
const warnOnce = (options: WatchOptions, what: string) => {
  let told = false;
  return (error: ApiError): void => {
    if (!told)
      options.sink?.warning?.(
        `${what} can't be watched, so its troubles are told late or not at all: ${error.message}`,
      );
    told = true;
  };
};

const nothing = (): void => {
  // Reachability is told by the watch of the pods.
};

const watchEvents = (
  cluster: Cluster,
  plan: Plan,
  give: Give,
  now: () => number,
  signal: AbortSignal,
  options: WatchOptions,
) => {
  const one = (object: unknown): void => {
    give({ type: "event", at: now(), event: eventView(object) });
  };
  return watchCollection(
    cluster,
    `/api/v1/namespaces/${plan.namespace}/events`,
    {},
    {
      onList: (objects) => {
        objects.forEach(one);
      },
      onChange: (object, deleted) => {
        if (!deleted) one(object);
      },
      onReachable: nothing,
      onRefused: warnOnce(options, "The namespace's events"),
    },
    signal,
  );
};

const watchController = (
  cluster: Cluster,
  plan: Plan,
  kind: "Job" | "StatefulSet",
  give: Give,
  now: () => number,
  signal: AbortSignal,
  options: WatchOptions,
) => {
  const [group, resource, name] =
    kind === "Job"
      ? ["batch/v1", "jobs", plan.coordinator.name]
      : ["apps/v1", "statefulsets", plan.workers.name];
  const one = (object: unknown, gone: boolean): void => {
    give(controllerObservation(kind, object, gone, now()));
  };
  let last: unknown;
  return watchCollection(
    cluster,
    `/apis/${group}/namespaces/${plan.namespace}/${resource}`,
    { fieldSelector: `metadata.name=${name}` },
    {
      onList: (objects) => {
        // Seen before, not in the list: it went while nobody watched.
        if (objects.length === 0 && last !== undefined) one(last, true);
        for (const object of objects) one(object, false);
        last = objects[0] ?? last;
      },
      onChange: (object, deleted) => {
        one(object, deleted);
        last = object;
      },
      onReachable: nothing,
      onRefused: warnOnce(options, `${kind} ${name}`),
    },
    signal,
  );
};

const watchNamespace = (
  cluster: Cluster,
  plan: Plan,
  give: Give,
  now: () => number,
  observed: () => ObservedRun,
  signal: AbortSignal,
  options: WatchOptions,
) => {
  let last: unknown;
  return watchCollection(
    cluster,
    "/api/v1/namespaces",
    { fieldSelector: `metadata.name=${plan.namespace}` },
    {
      onList: (objects) => {
        if (objects.length === 0 && last !== undefined && observed().namespace !== undefined) {
          give(namespaceObservation(last, true, now()));
        }
        for (const object of objects) give(namespaceObservation(object, false, now()));
        last = objects[0] ?? last;
      },
      onChange: (object, deleted) => {
        give(namespaceObservation(object, deleted, now()));
        last = object;
      },
      onReachable: nothing,
      onRefused: warnOnce(options, `Namespace ${plan.namespace}`),
    },
    signal,
  );
};

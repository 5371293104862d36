import type { Observation, ObservedRun } from "../../../jobs/watch/observe.ts";
import { nothingObserved, reduce } from "../../../jobs/watch/reduce.ts";
import { verdict } from "../../../jobs/watch/verdict.ts";
import { eventView, podView } from "../../../jobs/watch/views.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { SparkPlan } from "../../../schema/plan.ts";
import { samplePlans } from "../../harness/samples.ts";

/** The run's submission, by both clocks. */
export const START = Date.parse("2026-11-24T06:00:00Z");
export const at = (second: number): number => START + second * 1000;
const iso = (second: number): string => new Date(at(second)).toISOString().replace(".000", "");

/** A plan of one coordinator and two workers, with sizes that don't follow the planner's rules when those change. */
export const plan: SparkPlan = (() => {
  const { wordcount } = samplePlans();
  const { coordinator, workers } = wordcount;
  const daemon = [
    { what: "daemon heap", mib: 96 },
    { what: "daemon native memory", mib: 160 },
  ];
  const jvm = (who: string) => [
    { what: `${who} heap`, mib: 1024 },
    { what: `${who} overhead (40 % of the heap, at least 384)`, mib: 409 },
  ];
  return {
    ...wordcount,
    coordinator: {
      ...coordinator,
      sidecars: coordinator.sidecars.map((master) => ({
        ...master,
        cpu: 500,
        memory: 256,
        memoryParts: daemon,
      })),
      driver: { ...coordinator.driver, cpu: 400, memory: 1433, memoryParts: jvm("driver") },
    },
    workers: {
      ...workers,
      count: 2,
      container: {
        ...workers.container,
        cpu: 400,
        memory: 1689,
        memoryParts: [...jvm("executor"), ...daemon],
      },
    },
    quota: { ...wordcount.quota, cpu: 1700, memory: 5067, pods: 3 },
    deadlines: { pending: 120, image: 60, start: 90, run: 600 },
  };
})();

let version = 100;

export interface PodOptions {
  readonly name?: string;
  readonly uid?: string;
  readonly version?: number;
  readonly node?: string | null;
  readonly phase?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly ip?: string;
  /** Seconds from the submission at which the deletion was asked for. */
  readonly deletedAt?: number;
  readonly conditions?: readonly object[];
  /** Containers' states by name. */
  readonly state?: Readonly<Record<string, object>>;
  readonly last?: Readonly<Record<string, object>>;
  readonly restarts?: Readonly<Record<string, number>>;
}

/** A pod as the API server writes it. */
export function pod(role: "coordinator" | "worker", options: PodOptions = {}): unknown {
  const name = options.name ?? (role === "coordinator" ? "coordinator-x7k2p" : "workers-0");
  const node = options.node === undefined ? "node-1" : options.node;
  const status = (container: string) => ({
    name: container,
    image: plan.image.reference,
    ready: options.state?.[container] !== undefined && "running" in options.state[container],
    restartCount: options.restarts?.[container] ?? 0,
    state: options.state?.[container] ?? { waiting: { reason: "PodInitializing" } },
    lastState: options.last?.[container] ?? {},
  });
  const grace = 30;
  return {
    metadata: {
      name,
      namespace: plan.namespace,
      uid: options.uid ?? `uid-${name}`,
      resourceVersion: String(options.version ?? version++),
      creationTimestamp: iso(1),
      labels: { ...plan.labels, "mayfly.dev/role": role },
      ...(options.deletedAt === undefined
        ? {}
        : { deletionTimestamp: iso(options.deletedAt + grace), deletionGracePeriodSeconds: grace }),
    },
    spec: node === null ? {} : { nodeName: node },
    status: {
      phase: options.phase ?? "Running",
      ...(options.reason === undefined ? {} : { reason: options.reason }),
      ...(options.message === undefined ? {} : { message: options.message }),
      ...(node === null ? {} : { startTime: iso(2), podIP: options.ip ?? "10.244.0.21" }),
      conditions: [
        ...(options.conditions ?? []),
        ...(node === null ? [] : [{ type: "PodScheduled", status: "True", lastTransitionTime: iso(2) }]),
      ],
      ...(node === null
        ? {}
        : role === "coordinator"
          ? { initContainerStatuses: [status("master")], containerStatuses: [status("driver")] }
          : { containerStatuses: [status("worker")] }),
    },
  };
}

export const running = (since = 4): object => ({ running: { startedAt: iso(since) } });
export const ended = (
  exitCode: number,
  second = 20,
  reason = exitCode === 0 ? "Completed" : "Error",
): object => ({
  terminated: { exitCode, reason, startedAt: iso(4), finishedAt: iso(second) },
});

export const sawPod = (
  second: number,
  role: "coordinator" | "worker",
  options: PodOptions = {},
): Observation => ({
  type: "pod",
  at: at(second),
  // Later in the run is a newer version, whatever the order in which a test writes things down.
  pod: podView(pod(role, { version: second * 1000 + version++, ...options })),
});

/** The driver ended at `second`. */
export const driverEnded = (second: number, exitCode: number, options: PodOptions = {}): Observation =>
  sawPod(second, "coordinator", {
    phase: exitCode === 0 ? "Succeeded" : "Failed",
    state: { master: running(), driver: ended(exitCode, second) },
    ...options,
  });

export const bothWorkers = (second: number, options: PodOptions = {}): Observation[] => [
  sawPod(second, "worker", {
    name: "workers-0",
    ip: "10.244.0.22",
    state: { worker: running() },
    ...options,
  }),
  sawPod(second, "worker", {
    name: "workers-1",
    ip: "10.244.0.23",
    state: { worker: running() },
    ...options,
  }),
];

/** Pods placed, containers up, the driver's first line. */
export const underWay = (second = 4): Observation[] => [
  { type: "namespace", at: at(0), uid: "uid-namespace", state: "present", deletedAt: undefined },
  sawPod(second, "coordinator", { state: { master: running(), driver: running() } }),
  ...bothWorkers(second),
  line(second + 1, 0, "26/11/24 06:00:05 INFO SparkContext: Running Spark version 4.0.1"),
];

export const line = (second: number, index: number, text: string): Observation => ({
  type: "driver-line",
  at: at(second),
  index,
  line: text,
});

export const log = (second: number, text: string): Observation[] =>
  text.split("\n").map((content, index) => line(second, index + 1, content));

export interface EventOptions {
  readonly kind?: string;
  readonly name?: string;
  readonly about?: string;
  readonly count?: number;
  readonly type?: string;
}

export const event = (
  second: number,
  reason: string,
  message: string,
  options: EventOptions = {},
): Observation => ({
  type: "event",
  at: at(second),
  event: eventView({
    metadata: { name: `e-${reason}`, uid: `uid-${reason}-${options.name ?? ""}-${message.length}` },
    involvedObject: {
      kind: options.kind ?? "Pod",
      name: options.name ?? "coordinator-x7k2p",
      uid: options.about ?? `uid-${options.name ?? "coordinator-x7k2p"}`,
    },
    type: options.type ?? "Warning",
    reason,
    message,
    count: options.count ?? 1,
  }),
});

export const observe = (facts: readonly Observation[]): ObservedRun =>
  facts.reduce<ObservedRun>((known, fact) => reduce(known, fact, plan.workers.count + 1), nothingObserved);

/** The verdict that stands `second` seconds after the submission. */
export const judged = (
  facts: readonly Observation[],
  second: number,
  given: SparkPlan = plan,
): Outcome | undefined => verdict(observe(facts), given, START, at(second));

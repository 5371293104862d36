import type { StreamSample } from "../flink/types.ts";

/**
 * What the watch saw of a run, as plain data. Times are milliseconds since the epoch: `at` and `…SeenAt` by this machine's clock, all
 * others by the cluster's.
 */

/** A service beside a run has its name in its role. */
export type PodRole = "coordinator" | "worker" | `service-${string}` | "other";

/** How a container ended. */
export interface ContainerEnd {
  readonly exitCode: number;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
}

/** One container in one status of its pod. */
export interface ContainerView {
  readonly name: string;
  readonly image: string;
  readonly restarts: number;
  readonly ready: boolean;
  /** Why it does not run yet; undefined once it runs or ended. */
  readonly waiting: { readonly reason: string; readonly message: string | undefined } | undefined;
  readonly runningSince: number | undefined;
  readonly ended: ContainerEnd | undefined;
  /** End of the container before the last restart. */
  readonly endedBefore: ContainerEnd | undefined;
}

/** A pod as one list or watch event showed it. */
export interface PodView {
  readonly uid: string;
  readonly name: string;
  /** resourceVersion: etcd's revision, which grows. NaN where a server's is no number. */
  readonly version: number;
  readonly role: PodRole;
  readonly ip: string | undefined;
  readonly node: string | undefined;
  readonly phase: string;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly createdAt: number;
  readonly scheduledAt: number | undefined;
  readonly startedAt: number | undefined;
  /** When its deletion was asked for (deletionTimestamp less the grace period). */
  readonly deletionAskedAt: number | undefined;
  /** The condition DisruptionTarget: evicted, preempted, node lost. */
  readonly disruption:
    | { readonly reason: string; readonly message: string; readonly at: number | undefined }
    | undefined;
  /** The scheduler's words while no node is found. */
  readonly unschedulable: string | undefined;
  readonly containers: readonly ContainerView[];
}

/** An event of the namespace. */
export interface EventView {
  readonly uid: string;
  readonly kind: string;
  readonly name: string;
  /** UID of the object that the event is about. */
  readonly about: string | undefined;
  readonly warning: boolean;
  readonly reason: string;
  readonly message: string;
  readonly count: number;
}

/** What a sample of the kubelet says of one container. */
export interface UsageView {
  readonly pod: string;
  readonly container: string;
  /** When the kubelet measured. */
  readonly at: number;
  /** Since the container's start. */
  readonly cpuSeconds: number;
  readonly memoryMib: number;
}

/** One fact, with the time it reached this machine. Facts may come twice or late; the reducer doesn't mind. */
export type Observation =
  | { readonly type: "pod"; readonly at: number; readonly pod: PodView }
  | { readonly type: "pod-gone"; readonly at: number; readonly uid: string }
  | { readonly type: "event"; readonly at: number; readonly event: EventView }
  | {
      readonly type: "controller";
      readonly at: number;
      readonly kind: "Job" | "StatefulSet";
      readonly name: string;
      readonly version: number;
      /** True once it was deleted, or its deletion was asked for. */
      readonly deleted: boolean;
      /** Of the Job's condition Failed. */
      readonly failed: { readonly reason: string; readonly message: string } | undefined;
    }
  | {
      readonly type: "namespace";
      readonly at: number;
      readonly uid: string;
      readonly state: "present" | "terminating" | "gone";
      /** When its deletion was asked for. */
      readonly deletedAt: number | undefined;
    }
  | {
      readonly type: "driver-line";
      readonly at: number;
      /** Counts the lines of the driver's log from 0. */
      readonly index: number;
      readonly line: string;
    }
  | { readonly type: "usage"; readonly at: number; readonly samples: readonly UsageView[] }
  | { readonly type: "usage-refused"; readonly at: number; readonly message: string }
  | { readonly type: "api"; readonly at: number; readonly reachable: boolean };

/** Usage of one container: the largest working set seen and the CPU time of all its lives together. */
export interface ObservedUsage {
  readonly peakMemoryMib: number | undefined;
  readonly cpuSeconds: number | undefined;
  /** Integral of the working set over the samples. */
  readonly mibSeconds: number | undefined;
  /** The last sample, by the kubelet's clock. */
  readonly last: { readonly at: number; readonly cpuSeconds: number; readonly memoryMib: number } | undefined;
}

/** A pod's trouble with an image. */
export interface ObservedPull {
  readonly image: string;
  readonly reason: string;
  readonly message: string;
  readonly sinceSeenAt: number;
  /** Whether the last status still shows the trouble. */
  readonly open: boolean;
}

/** A pod with all that was ever seen of it. */
export interface ObservedPod {
  readonly view: PodView;
  readonly firstSeenAt: number;
  /** First seen without a node, though the scheduler had tried. */
  readonly unschedulableSeenAt: number | undefined;
  /** First seen with a node. */
  readonly nodeSeenAt: number | undefined;
  /** First seen with a started container. */
  readonly startSeenAt: number | undefined;
  readonly goneSeenAt: number | undefined;
  /** First seen on its way out: deletion asked for, disrupted, failed, unknown or gone. */
  readonly lossSeenAt: number | undefined;
  readonly pull: ObservedPull | undefined;
  /** Ends with reason OOMKilled, by container. */
  readonly oomKilled: Readonly<Record<string, ContainerEnd>>;
  readonly usage: Readonly<Record<string, ObservedUsage>>;
}

/** The driver's log, as far as a verdict needs it. */
export interface ObservedLog {
  /** Lines seen. */
  readonly lines: number;
  /** The last lines, oldest first, each with its index. */
  readonly tail: readonly { readonly index: number; readonly line: string }[];
  /** Lines that speak of lost memory, the first few of each kind. */
  readonly memory: readonly { readonly index: number; readonly line: string }[];
}

/** All that is known of a run. Plain data, built by `reduce`. */
export interface ObservedRun {
  /** By UID: a StatefulSet makes pods of the same name again. */
  readonly pods: Readonly<Record<string, ObservedPod>>;
  /** When pods were found gone, by UID: the news may come before that of the pod itself. */
  readonly gone: Readonly<Record<string, number>>;
  /** Events that matter to a verdict, by UID. */
  readonly events: Readonly<
    Record<string, EventView & { readonly firstSeenAt: number; readonly lastSeenAt: number }>
  >;
  readonly controllers: Readonly<
    Partial<Record<"Job" | "StatefulSet", Extract<Observation, { type: "controller" }>>>
  >;
  readonly namespace:
    | {
        readonly seenAt: number;
        readonly deletedAt: number | undefined;
        readonly deletedSeenAt: number | undefined;
      }
    | undefined;
  /** When all planned pods had a node at once for the first time; later pods replace lost ones. */
  readonly completeSeenAt: number | undefined;
  readonly driverLog: ObservedLog;
  readonly firstLineSeenAt: number | undefined;
  /** First seen with a running or ended driver container. */
  readonly driverSeenAt: number | undefined;
  /** Why usage is unknown, where it is. */
  readonly usageRefused: string | undefined;
  /** Since when the API server does not answer. */
  readonly unreachableSince: number | undefined;
  /** Of a stream: what its REST told, oldest first, thinned out where there are many ({@link addSample}). */
  readonly stream?: readonly StreamSample[];
}

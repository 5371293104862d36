import type { Outcome } from "../../schema/outcome.ts";
import type { Phase } from "../../schema/report.ts";
import type { ObservedRun } from "./observe.ts";

/** What a cluster that answered told about itself. */
export interface ClusterFacts {
  /** UID of the namespace kube-system, as in the environment contract. */
  readonly clusterId: string;
  /** Such as `v1.34.3`. */
  readonly version: string;
}

/** Whose a namespace is. */
export type NamespaceState =
  | { readonly kind: "absent" }
  | {
      readonly kind: "ours";
      readonly uid: string;
      readonly tenant: string;
      readonly job: string;
      readonly run: string;
      readonly terminating: boolean;
    }
  | {
      readonly kind: "foreign";
      readonly labels: Readonly<Record<string, string>>;
      readonly terminating: boolean;
    };

/** Who is told what happens; every part is optional, and what one throws never reaches the run. */
export interface WatchSink {
  /** `starting` with the first pod, `running` with the driver's first sign of life. */
  readonly phase?: (phase: Extract<Phase, "starting" | "running">, at: Date) => void;
  /** A pod came into another state: `pending`, `no node yet: needs free CPU`, `pulling image`, `starting`, `running`, `ended 0`, `gone`, … */
  readonly pod?: (pod: string, role: string, state: string) => void;
  /** A line of the driver's log, as it comes. */
  readonly log?: (source: string, line: string) => void;
  readonly warning?: (message: string) => void;
}

export interface WatchOptions {
  /** When the run was submitted: its deadline counts from here. */
  readonly startedAt: Date;
  /** Stops the watch from outside; the result then has no outcome. */
  readonly signal: AbortSignal;
  readonly sink?: WatchSink;
  /** Whether the run was found at work, so that all of its pods had a node once. */
  readonly underWay?: boolean;
  /** Milliseconds since 1970 that never go back; the watch's own where left out. `startedAt` is by it. */
  readonly clock?: () => number;
}

export interface WatchResult {
  /** Undefined when `signal` ended the watch before a verdict. */
  readonly outcome: Outcome | undefined;
  /** All that was seen, for the report. */
  readonly observed: ObservedRun;
}

/** An object that is still there. */
export interface Leftover {
  /** `apps/v1`, `v1`, … */
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly terminating: boolean;
  readonly finalizers: readonly string[];
}

/** What an end-of-run search of the cluster found. */
export interface Leftovers {
  readonly objects: readonly Leftover[];
  /** Kinds that could not be listed, with the reason: their absence is not proven. */
  readonly unknown: readonly string[];
}

/** One container's saved log. */
export interface ContainerLog {
  readonly pod: string;
  readonly container: string;
  /** The log of the life before the last restart. */
  readonly previous: boolean;
  /** Once `text` was read: whether it met the bound of its size, so that something is missing. */
  readonly truncated: boolean;
  readonly text: AsyncIterable<Uint8Array>;
}

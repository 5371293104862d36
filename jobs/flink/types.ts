import type { FlinkPlan } from "../../schema/plan.ts";
import type { ObjectStore } from "../store/index.ts";

/** States of a job, https://nightlies.apache.org/flink/flink-docs-stable/docs/internals/job_scheduling/#jobmanager-data-structures */
export const JOB_STATES = [
  "INITIALIZING",
  "CREATED",
  "RUNNING",
  "FAILING",
  "FAILED",
  "CANCELLING",
  "CANCELED",
  "FINISHED",
  "RESTARTING",
  "SUSPENDED",
  "RECONCILING",
] as const;
export type FlinkJobState = (typeof JOB_STATES)[number];

/** An operator chain of the job. */
export interface FlinkVertex {
  readonly id: string;
  readonly name: string;
  readonly parallelism: number;
  /** -1 where Flink chooses it. */
  readonly maxParallelism: number;
  /** Tasks by their state, such as `RUNNING`. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Records since the job's last (re)start. Between operators only: a source has read none, a sink has written none. */
  readonly read: number;
  readonly written: number;
}

/** `GET /v1/jobs/:id`. Times are milliseconds since 1970 by the JobManager's clock. */
export interface FlinkJob {
  readonly state: FlinkJobState;
  readonly startedAt: number;
  /** Since {@link startedAt}. */
  readonly uptimeMs: number;
  readonly now: number;
  readonly vertices: readonly FlinkVertex[];
  /** Ids of vertices that take from no other one, */
  readonly sources: readonly string[];
  /** and from which no other one takes. */
  readonly sinks: readonly string[];
}

/** `GET /v1/jobs/:id/checkpoints`: those of this attempt, since the JobManager's start. */
export interface FlinkCheckpoints {
  readonly completed: number;
  readonly failed: number;
  readonly inProgress: number;
  /** How often the job was restored. */
  readonly restored: number;
  readonly last: FlinkCheckpoint | undefined;
  /** Of the completed ones, by Flink's own summary. */
  readonly mean?: Pick<FlinkCheckpoint, "bytes" | "durationMs"> | undefined;
  readonly lastFailure: { readonly id: number; readonly at: number; readonly message: string } | undefined;
}

export interface FlinkCheckpoint {
  readonly id: number;
  /** When it was triggered. */
  readonly at: number;
  readonly durationMs: number;
  /** Of the whole state. */
  readonly bytes: number;
  readonly location: string;
}

/** Where an asked savepoint is. `forgotten`: this JobManager was not asked for it, or it was started anew since. */
export type TriggerState =
  | { readonly kind: "in-progress" }
  | { readonly kind: "completed"; readonly location: string }
  /** COMPLETED with `failure-cause`, or without a location. */
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "forgotten" };

export interface FlinkCall {
  readonly signal?: AbortSignal | undefined;
  /** Until the whole answer is there; default 10 s. */
  readonly timeoutMs?: number | undefined;
}

/** What a savepoint is asked for with. */
export interface SavepointOrder {
  /** 32 hexadecimal digits: {@link triggerId}. */
  readonly trigger: string;
  readonly folder: string;
  readonly format: "NATIVE" | "CANONICAL";
}

/**
 * Flink's REST of one attempt of one run, at its JobManager. Nothing is tried twice here.
 * Every function throws {@link FlinkRestError}, or the reason of the caller's signal.
 */
export interface FlinkRest {
  readonly jobId: string;
  readonly job: (call?: FlinkCall) => Promise<FlinkJob>;
  readonly checkpoints: (call?: FlinkCall) => Promise<FlinkCheckpoints>;
  /** The root exception's stack trace, newest; undefined where nothing failed. */
  readonly rootException: (call?: FlinkCall) => Promise<string | undefined>;
  /** Job-wide metrics by name; what is unknown is left out. */
  readonly jobMetrics: (
    names: readonly string[],
    call?: FlinkCall,
  ) => Promise<Readonly<Record<string, number>>>;
  /** Names of a vertex's metrics over all its subtasks. */
  readonly metricNames: (vertex: string, call?: FlinkCall) => Promise<readonly string[]>;
  /** Sum or maximum over all subtasks of a vertex. */
  readonly vertexMetrics: (
    vertex: string,
    names: readonly string[],
    combine: "sum" | "max",
    call?: FlinkCall,
  ) => Promise<Readonly<Record<string, number>>>;
  /** Asks for a savepoint after which the job ends. It never drains: that would end the stream for good. */
  readonly stop: (order: SavepointOrder, call?: FlinkCall) => Promise<void>;
  readonly savepoint: (order: SavepointOrder, call?: FlinkCall) => Promise<void>;
  readonly trigger: (trigger: string, call?: FlinkCall) => Promise<TriggerState>;
  /** Upper bounds of parallelism by vertex: `GET /v1/jobs/:id/resource-requirements`, of the adaptive scheduler. */
  readonly requirements: (
    call?: FlinkCall,
  ) => Promise<Readonly<Record<string, { lower: number; upper: number }>>>;
  readonly require: (
    requirements: Readonly<Record<string, { lower: number; upper: number }>>,
    call?: FlinkCall,
  ) => Promise<void>;
  readonly close: () => void;
}

/**
 * Why Flink's REST did not do as asked. `away`: nobody answers (no pod, no JobManager yet or any more, network); `not-found`: it has no
 * such job or trigger; `refused`: it answered that it will not, or failed, or
 * the API server does not let us through (status 401 or 403); `strange`: an answer of a form that this version does not know.
 */
export class FlinkRestError extends Error {
  override readonly name = "FlinkRestError";
  readonly kind: "away" | "not-found" | "refused" | "strange";
  readonly status: number | undefined;

  constructor(
    kind: FlinkRestError["kind"],
    message: string,
    details: { status?: number; cause?: unknown } = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.kind = kind;
    this.status = details.status;
  }
}

export interface SavepointOptions {
  /** The wish's id, any text: the same one asks for the same savepoint again. */
  readonly trigger: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Looked up where the job is FINISHED but nobody tells the location: {@link finishedSavepoint} bound to the run. */
  readonly finished?: () => Promise<string | undefined>;
  readonly onWarning?: (message: string) => void;
  /** Between questions; where left out they begin close together and end a second apart. */
  readonly pollMs?: number;
}

/** How an asked savepoint ended. */
export type SavepointResult =
  | { readonly kind: "taken"; readonly location: string }
  /** The job goes on, as far as could be seen. */
  | { readonly kind: "failed"; readonly message: string }
  /** Nobody could tell in time; it may still come about. */
  | { readonly kind: "timeout"; readonly message: string }
  /** The job had ended in another way before there was a savepoint. */
  | { readonly kind: "ended"; readonly state: FlinkJobState; readonly message: string };

/** One look at a live stream. Times are milliseconds since 1970 by the JobManager's clock. */
export interface StreamSample {
  readonly at: number;
  readonly state: FlinkJobState;
  readonly uptimeMs: number;
  /** Of the job inside its JobManager. */
  readonly restarts: number;
  readonly checkpoints: {
    readonly completed: number;
    readonly failed: number;
    readonly lastBytes: number | undefined;
    readonly lastDurationMs: number | undefined;
    /** When it was triggered. */
    readonly lastAt: number | undefined;
    readonly lastId: number | undefined;
    readonly mean?: FlinkCheckpoints["mean"];
  };
  /** What the sources gave, since the job's last start or restart. */
  readonly recordsIn: number;
  /** What came to the last operators, since the job's last start or restart. */
  readonly recordsOut: number;
  /** Where a source tells: records that wait (`pendingRecords`). */
  readonly pendingRecords: number | undefined;
  /** Where a source tells: how old the newest record was when it was fetched, in milliseconds (`currentFetchEventTimeLag`). */
  readonly lagMs: number | undefined;
  /** The largest of all operators. */
  readonly parallelism: number;
}

export interface StreamWatchOptions {
  /** Once: the job is RUNNING and so are all its tasks. */
  readonly onHealthy: (at: Date) => void;
  readonly onSample?: (sample: StreamSample) => void;
  readonly onWarning?: (message: string) => void;
  readonly signal: AbortSignal;
  /** Milliseconds since 1970 that never go back. */
  readonly clock?: () => number;
  /** Between looks; 1 s until healthy and then 5 s where left out. */
  readonly pollMs?: { readonly starting: number; readonly running: number };
}

export type RescaleResult =
  /** All tasks run with it. */
  | { readonly kind: "rescaled"; readonly parallelism: number }
  /** The job can't: not of the adaptive scheduler, more than its maximum parallelism, … A savepoint may help. */
  | { readonly kind: "refused"; readonly message: string }
  /** Asked for, but it does not run so yet: too few slots, most likely. It runs with `parallelism` now. */
  | { readonly kind: "timeout"; readonly message: string; readonly parallelism: number | undefined };

/** State in S3 that a stream can start from. */
export interface StateAt {
  /** `s3://…`, the folder of `_metadata`. */
  readonly location: string;
  readonly kind: "savepoint" | "checkpoint";
  /** When it was complete, by the store's clock. */
  readonly at: Date;
}

/** What is asked of S3 about state. Errors are the store's: `s3-missing`, `s3-denied`, `s3-unreachable`, `s3-failed`. */
export type StateStore = Pick<ObjectStore, "page" | "remove">;

/** What sweeping found and did. */
export interface Sweep {
  readonly removed: number;
  readonly bytes: number;
  /** False where the bound of the listing was met: something may be left. */
  readonly complete: boolean;
}

/** Of the plan, what says where state is. */
export type StatePlan = Pick<FlinkPlan, "job" | "run" | "attempt" | "jobId" | "state">;

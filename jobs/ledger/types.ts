import { z } from "zod";
import type { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { Phase, RunReport } from "../../schema/report.ts";

/** States in which something works on a run, or will. */
export const LIVE_STATES = [
  "queued",
  "planning",
  "creating",
  "running",
  "finishing",
  "destroying",
  "kept",
] as const;
/** States in which a run stays. `kept` is none of them: its cluster is up on purpose and someone has to destroy it. */
export const TERMINAL_STATES = ["succeeded", "suspended", "failed", "cancelled", "lost"] as const;
export const RunStateName = z.enum([...LIVE_STATES, ...TERMINAL_STATES]);
export type RunStateName = z.infer<typeof RunStateName>;

/** The span of data that a run is about, as schedulers name it: from (inclusive) and to (exclusive), ISO 8601. */
export interface DataInterval {
  readonly start: string;
  readonly end: string;
}

/** What a run's idempotency key begins with that goes on with a stream; the run that it goes on from follows. So each is resumed once. */
export const RESUMED = "resumed/";

/** What somebody asks of a live stream: a message to its holder, at most one at a time. */
export const Wish = z.discriminatedUnion("kind", [
  z.object({
    id: z.string().min(1),
    at: z.string(),
    kind: z.literal("suspend"),
    /** Location of a retained checkpoint that takes a savepoint's place: none could be had, and somebody is content with that. */
    lastState: z.string().optional(),
  }),
  z.object({ id: z.string().min(1), at: z.string(), kind: z.literal("savepoint") }),
  z.object({
    id: z.string().min(1),
    at: z.string(),
    kind: z.literal("rescale"),
    taskManagers: z.int().min(1),
    parallelism: z.int().min(1),
  }),
]);
export type Wish = z.infer<typeof Wish>;

/** State of a stream that a further run may start from. It outlives its run. */
export interface Savepoint {
  /** Its folder in S3. */
  readonly location: string;
  readonly run: string;
  readonly tenant: string;
  readonly job: string;
  readonly environment: string;
  readonly attempt: number;
  readonly kind: "savepoint" | "checkpoint";
  /** Why it was taken: to end its run, because somebody asked, by the clock. */
  readonly reason: "suspend" | "asked" | "periodic";
  /** Of the Flink that wrote it. */
  readonly flinkVersion: string;
  readonly format: "native" | "canonical";
  /** ISO 8601. */
  readonly at: string;
  /** ISO 8601: its files are gone since. */
  readonly deletedAt?: string | undefined;
}

export interface SavepointFilter {
  readonly location?: string | undefined;
  readonly tenant?: string | undefined;
  readonly job?: string | undefined;
  readonly run?: string | undefined;
  readonly environment?: string | undefined;
  /** Those too that were deleted; default false. */
  readonly deleted?: boolean | undefined;
}

/** What a holder is asked for of one of its runs. */
export interface Wished {
  readonly run: string;
  /** Its end. */
  readonly cancel: boolean;
  readonly wish: Wish | undefined;
}

/** A run as it is asked for. No secret is in it: specs name secrets only. */
export interface Submission {
  readonly run: string;
  /** Of two submissions of a tenant with one key the first makes the run, the second gets it. */
  readonly key?: string | undefined;
  readonly spec: JobSpec;
  readonly environment: string;
  /** Path of the connection file. */
  readonly connection: string;
  readonly interval?: DataInterval | undefined;
  /** Larger first; default 0. */
  readonly priority?: number | undefined;
  /** ISO 8601; not claimed before. */
  readonly notBefore?: string | undefined;
  /** ISO 8601; now where left out. */
  readonly submittedAt?: string | undefined;
  /** Who works on it already: the run begins as `planning` and is never in the queue. */
  readonly holder?: string | undefined;
  /** See {@link LedgerRun.machine}. */
  readonly machine?: string | undefined;
}

/** What lists show of a run: its columns without the large documents. */
export interface RunSummaryRow {
  readonly run: string;
  readonly key: string | undefined;
  readonly tenant: string;
  readonly job: string;
  readonly environment: string;
  readonly connection: string;
  readonly interval: DataInterval | undefined;
  readonly priority: number;
  readonly state: RunStateName;
  /** 0 until the first attempt is planned. */
  readonly attempt: number;
  readonly phase: Phase | undefined;
  /** The outcome's kind where it is no success: the class by which a run is tried again. */
  readonly failureClass: Outcome["kind"] | undefined;
  readonly outcome: Outcome | undefined;
  /** Of the last attempt's plan. */
  readonly namespace: string | undefined;
  readonly stack: string | undefined;
  readonly holder: string | undefined;
  /** Of the holder's lease: larger with each new holder. 0 before the first. */
  readonly fence: number;
  readonly cancelRequestedAt: string | undefined;
  /** What is asked of a stream and not answered yet. */
  readonly wish?: Wish | undefined;
  readonly notBefore: string | undefined;
  readonly submittedAt: string;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
  readonly updatedAt: string;
  /** What could not be removed. */
  readonly left: readonly string[];
  /** Goes up by one with each change: hand it to {@link Ledger.update}. */
  readonly version: number;
}

/** A run with all that is known of it. */
export interface LedgerRun extends RunSummaryRow {
  /** Undefined only for a run that was imported from the time before the ledger. */
  readonly spec: JobSpec | undefined;
  readonly specDigest: string | undefined;
  /** Of the last attempt. */
  readonly plan: Plan | undefined;
  /** Of the last attempt that ended. */
  readonly report: RunReport | undefined;
  /** State of the machine by which workers go on with the run, as JSON of jobs/work; undefined where no worker may take it. */
  readonly machine?: string | undefined;
}

/** A run that was taken from the queue. */
export interface ClaimedRun extends LedgerRun {
  readonly spec: JobSpec;
}

/** What a change may set; a member that is there with the value undefined empties its column. */
export interface RunPatch {
  readonly state?: RunStateName;
  readonly attempt?: number;
  readonly phase?: Phase | undefined;
  /** Sets the failure class too. */
  readonly outcome?: Outcome | undefined;
  /** Sets namespace and stack too. */
  readonly plan?: Plan | undefined;
  readonly report?: RunReport | undefined;
  readonly holder?: string | undefined;
  readonly fence?: number;
  readonly notBefore?: string | undefined;
  readonly startedAt?: string | undefined;
  readonly endedAt?: string | undefined;
  readonly left?: readonly string[];
  readonly machine?: string | undefined;
  /** Clears it: the holder has answered. Wishes are made by {@link Ledger.wish}. */
  readonly wish?: undefined;
  /** A stream's new size; its digest stays that of what was submitted. */
  readonly spec?: JobSpec;
}

export interface RunFilter {
  readonly states?: readonly RunStateName[] | undefined;
  readonly tenant?: string | undefined;
  readonly job?: string | undefined;
  /** ISO 8601: submitted then or later. */
  readonly since?: string | undefined;
  /** Only runs of which something could not be removed. */
  readonly leftBehind?: boolean | undefined;
  /** Only runs that workers work on. */
  readonly detached?: boolean | undefined;
  readonly environment?: string | undefined;
  /** At most so many, the newest. */
  readonly limit?: number | undefined;
  /** Told of each run that can't be read, which is left out; where left out itself, the first such run is thrown. */
  readonly onUnreadable?: ((run: string, error: UserError) => void) | undefined;
}

/** How many runs of one tenant workers have, and have to come, in one environment. */
export interface TenantLoad {
  readonly tenant: string;
  readonly queued: number;
  /** A helper works on them, or did. */
  readonly working: number;
  readonly kept: number;
}

/** A run in the queue, as it is chosen by. */
export type QueuedRow = Pick<RunSummaryRow, "run" | "tenant" | "priority" | "submittedAt" | "notBefore">;

export interface HeadsQuery {
  readonly environment: string;
  /** So many by priority, and so many by age, of each tenant. */
  readonly perTenant: number;
  /** Tenants that have no room for more. */
  readonly without?: readonly string[] | undefined;
  /** Runs that are passed over. */
  readonly except?: readonly string[] | undefined;
}

export interface ClaimRequest {
  readonly holder: string;
  /** Exactly this one. */
  readonly run?: string | undefined;
  /** Not where its tenant has as many at work in its environment, or kept. Only with `run`. */
  readonly running?: number | undefined;
  /** Throws where the run can't be worked on: it stays in the queue then. */
  readonly accept?: ((run: ClaimedRun) => void) | undefined;
}

/** An event with its place in the run's order. */
export interface StoredEvent {
  readonly seq: number;
  readonly event: RunEvent;
}

/** A holder that was seen on a run's lease. */
export interface SeenLease {
  readonly holder: string;
  readonly fence: number;
  readonly at: string;
}

/**
 * What is known of runs, shared by all helpers of one ledger. Every call may throw the `UserError`s of the store: `ledger-unreachable`,
 * `ledger-busy`, `ledger-read-only`, `ledger-full`, `ledger-corrupt`, `ledger-denied`; the next call tries anew.
 */
export interface Ledger {
  /** Where it is, without a password. */
  readonly location: string;
  /**
   * Records a run. Submitting the same again by its key is no error: `created` is false and `run` is the first one.
   * @throws UserError `key-reused` where the key's first run has another spec, environment or interval; `run-exists` for a run id in use.
   */
  readonly submit: (
    submission: Submission,
    options?: {
      /** Asked before a run is made, with how many of its tenant wait in its environment; what it throws is thrown. Several at once are asked in turn. */
      readonly admit?: (queued: number) => void;
      /**
       * Refuses a second live run of the tenant's job in the environment: UserError `stream-is-live`, which names the first. Several at once
       * are asked in turn. What a key made before is no second run.
       */
      readonly exclusive?: boolean;
    },
  ) => Promise<{ readonly run: string; readonly created: boolean }>;
  /** The run that a tenant's key made, if there is one. */
  readonly find: (tenant: string, key: string) => Promise<string | undefined>;
  /** Takes over a run that was recorded elsewhere, as it is; does nothing where there is one of that id. */
  readonly adopt: (run: LedgerRun) => Promise<boolean>;
  /** @throws UserError `unknown-run` with the nearest known id; `run-unreadable` where another version wrote it. */
  readonly get: (run: string) => Promise<LedgerRun>;
  /** Newest first. */
  readonly list: (filter?: RunFilter) => Promise<readonly RunSummaryRow[]>;
  /** A job's runs, newest first. @throws UserError `unknown-job` with the nearest known name. */
  readonly history: (
    job: string,
    filter?: Pick<RunFilter, "tenant" | "since" | "limit" | "onUnreadable">,
  ) => Promise<readonly RunSummaryRow[]>;
  /**
   * Changes a run if nobody changed it since `version` was read.
   * @returns The new version.
   * @throws UserError `run-changed` where somebody did, `unknown-run`.
   */
  readonly update: (run: string, version: number, patch: RunPatch) => Promise<number>;
  /**
   * Takes the next queued run that is due: by priority, then age; or exactly `run`, if it still is queued. Its state is `planning` then.
   * Of several workers only one gets it, and never do they pass a tenant's limit together. Undefined where there is none to take.
   * @throws UserError `run-unreadable`; the run stays in the queue.
   */
  readonly claim: (claim: ClaimRequest) => Promise<ClaimedRun | undefined>;
  /** How many runs of workers there are, by tenant. @param except Runs that are not counted. */
  readonly load: (environment: string, except?: readonly string[]) => Promise<readonly TenantLoad[]>;
  /** The queued runs of workers that are due and may be next. */
  readonly heads: (query: HeadsQuery) => Promise<readonly QueuedRow[]>;
  /** Those of a holder's runs that have not ended and of which somebody asks something. */
  readonly wished: (holder: string) => Promise<readonly Wished[]>;
  /**
   * Asks something of a live stream. The run's version stays: it is a message, no change of what the holder owns. A further suspend is
   * the one that waits already, unless it is content with a checkpoint and that one was not: then it takes its place.
   * @returns The wish that stands now.
   * @throws UserError `wish-pending` where another one waits, `run-finished`, `not-a-stream`, `unknown-run`.
   */
  readonly wish: (run: string, wish: Wish) => Promise<Wish>;
  /** Notes a savepoint or a checkpoint to keep; does nothing where its location is known. */
  readonly recordSavepoint: (savepoint: Savepoint) => Promise<void>;
  /** Newest first. */
  readonly savepoints: (filter?: SavepointFilter) => Promise<readonly Savepoint[]>;
  /** Notes that a savepoint's files are gone. @param at ISO 8601. @throws UserError `unknown-savepoint` */
  readonly savepointDeleted: (location: string, at: string) => Promise<void>;
  /**
   * Asks for a run's end. A queued one is cancelled at once; of another the holder is told by `cancelRequestedAt`, whose version
   * stays: it is a message, no change of what the holder owns. Asking again changes nothing.
   * @throws UserError `run-finished` where it has ended, `run-kept` where its job has and only its cluster is up, `unknown-run`.
   */
  readonly requestCancel: (run: string) => Promise<RunSummaryRow>;
  /** Appends in order. @returns The last one's place. */
  readonly append: (run: string, events: readonly RunEvent[]) => Promise<number>;
  /** In order, after the place `after`. Events of a form that this version does not know are left out and counted. */
  readonly events: (
    run: string,
    after?: number,
  ) => Promise<{ readonly events: readonly StoredEvent[]; readonly unknown: number }>;
  /** Notes who was seen to hold a run's lease. */
  readonly noteLease: (run: string, lease: Omit<SeenLease, "at">) => Promise<void>;
  readonly leases: (run: string) => Promise<readonly SeenLease[]>;
  /** Forgets a run that made nothing. @throws UserError `run-changed` */
  readonly forget: (run: string, version: number) => Promise<void>;
  /** Forgets runs that ended before a time (ISO 8601) and left nothing behind, but for suspended ones that nothing went on from. @returns How many. */
  readonly prune: (endedBefore: string) => Promise<number>;
  readonly close: () => Promise<void>;
}

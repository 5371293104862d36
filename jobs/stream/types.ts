import type { RunEvent } from "../../schema/events.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { StateAt } from "../flink/index.ts";
import type { Ledger, LedgerRun } from "../ledger/index.ts";
import type { Answered, Asked, CarryOutOptions, Started, StartOptions } from "../run/stream.ts";
import type { EnvironmentOptions } from "../run/types.ts";

/** Which stream: by a run's id or the job's name, and of which tenant where several have a job of that name. */
export interface StreamOptions extends EnvironmentOptions {
  readonly tenant?: string | undefined;
  /** Remarks for people, as they come. */
  readonly onNote?: ((line: string) => void) | undefined;
  /** All that happens to the run meanwhile, of other holders too. */
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A run of a stream. */
export interface StreamRun extends LedgerRun {
  readonly spec: FlinkStreamJob;
}

/** All that work on a stream asks of the outside. */
export interface StreamPorts {
  readonly ledger: Pick<
    Ledger,
    "get" | "find" | "list" | "history" | "events" | "savepoints" | "savepointDeleted"
  >;
  /** Starts a further run; see `startStream`. */
  readonly start: (spec: FlinkStreamJob, options: StartOptions) => Promise<Started>;
  /** Sees that something is done to a live run; see `carryOut`. */
  readonly carryOut: (run: string, asked: Asked, options: CarryOutOptions) => Promise<Answered>;
  /**
   * Brings a live run that nobody works on to where it is healthy or has ended; with `toEnd` only to its end, which somebody asked for.
   * @returns The run then; undefined where somebody works on it.
   */
  readonly bringOn: (
    run: StreamRun,
    options: Pick<CarryOutOptions, "onEvent" | "signal"> & { readonly toEnd?: boolean },
  ) => Promise<LedgerRun | undefined>;
  /**
   * Plans a run and looks for all that can be known to be wrong with it, while the one before still runs.
   * @returns The Flink that it is to have.
   * @throws UserError
   */
  readonly check: (spec: FlinkStreamJob) => Promise<{ readonly version: string }>;
  /** State in S3. */
  readonly state: {
    /** That it is there, and where the tenant may have it. @throws UserError `savepoint-missing`, `savepoint-invalid`, `savepoint-foreign` */
    readonly check: (location: string, tenant: string) => Promise<StateAt>;
    /** The newest of those savepoints and of the run's retained checkpoints that is still there. */
    readonly newest: (plan: FlinkPlan, savepoints: readonly string[]) => Promise<StateAt | undefined>;
    /** @returns Objects deleted. */
    readonly remove: (location: string) => Promise<number>;
  };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Remarks for people, as they come. */
  readonly note: (line: string) => void;
}

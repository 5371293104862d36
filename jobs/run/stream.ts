import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Restore } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type { Ledger, RunSummaryRow } from "../ledger/index.ts";
import type { LeaseLook } from "../work/place.ts";
import type { DriverTools } from "../work/types.ts";
import type { EnvironmentOptions } from "./types.ts";

/** All the outside that work on streams needs; {@link withStreams} opens it. */
export interface StreamTools extends Omit<DriverTools, "ledger" | "holder" | "onEvent" | "purpose"> {
  readonly ledger: Ledger;
  /** How a run's lease looks now. */
  readonly leaseLooks: (run: RunSummaryRow) => Promise<LeaseLook>;
}

export interface StartOptions {
  /** State to start with instead of the spec's own `from`. */
  readonly from?: Restore | undefined;
  readonly runId?: string | undefined;
  /** Of two starts of a tenant with one key the first makes the run, the second gets it. */
  readonly key?: string | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Aborting before the stream is healthy cancels the run: all of it is removed. */
  readonly signal?: AbortSignal | undefined;
}

export type Started =
  /** It is healthy, and nobody holds it: a worker, or the next command, looks after it. */
  | { readonly kind: "running"; readonly run: string }
  /** It never became healthy, or was cancelled. `report` is missing where it never had a plan. */
  | {
      readonly kind: "ended";
      readonly run: string;
      readonly outcome: Outcome;
      readonly report: RunReport | undefined;
      readonly left: readonly string[];
    }
  /** The key's run was there already. */
  | { readonly kind: "existing"; readonly run: string };

/** What is asked of a live stream. */
export type Asked =
  | { readonly kind: "suspend" }
  | { readonly kind: "savepoint" }
  | { readonly kind: "rescale"; readonly taskManagers: number; readonly parallelism: number };

export interface CarryOutOptions {
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Ends the wait; what is asked stands. */
  readonly signal?: AbortSignal | undefined;
  /** The same after so many seconds. */
  readonly timeoutSeconds?: number | undefined;
}

/** What became of it. A suspend that is done has ended its run: nothing of it is there any more but what is `left`. */
export interface Answered {
  readonly run: string;
  readonly ok: boolean;
  readonly message: string;
  /** Of a suspend or savepoint that is done. */
  readonly savepoint: string | undefined;
  readonly left: readonly string[];
}

/** Opens ledger, cluster, store and engine for as long as `work` takes. @throws UserError */
export async function withStreams<T>(
  options: EnvironmentOptions,
  work: (tools: StreamTools) => Promise<T>,
): Promise<T> {
  throw new Error(`not built yet: ${String(options.connection)} ${work.name}`);
}

/**
 * Starts a stream and brings it to where it is healthy; further attempts too, as its budget allows. Needs no worker, and leaves the run without a holder.
 * @throws UserError `stream-is-live` where the job has a live run; where nothing was made
 */
export async function startStream(
  spec: JobSpec,
  tools: StreamTools,
  options: StartOptions = {},
): Promise<Started> {
  throw new Error(`not built yet: ${spec.name} ${String(options.key)} ${tools.environment.path}`);
}

/**
 * Asks something of a live stream, and sees that it is done: here where nobody holds the run, else by its holder.
 * @throws UserError `not-answered` where that took too long; those of `Ledger.wish`
 */
export async function carryOut(
  run: string,
  asked: Asked,
  tools: StreamTools,
  options: CarryOutOptions = {},
): Promise<Answered> {
  throw new Error(
    `not built yet: ${run} ${asked.kind} ${String(options.timeoutSeconds)} ${tools.environment.path}`,
  );
}

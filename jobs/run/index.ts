// Runs of jobs: what the command line, the library door and tests call.
import type { JobSpec } from "../../schema/job.ts";
import { LEFT_BEHIND_EXIT, OUTCOME_EXIT } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type {
  DestroyOptions,
  DestroyResult,
  EnvironmentOptions,
  JobPreview,
  LogOptions,
  RunOptions,
  RunStatus,
  RunSummary,
} from "./types.ts";

export type * from "./types.ts";

const later = (what: string): never => {
  throw new Error(`${what} is not written yet`);
};

/**
 * Runs one job: makes its cluster, watches it, saves logs and report, destroys it and proves that nothing is left.
 * @param job A validated spec, or the path of a YAML or JSON file.
 * @returns The report of the last attempt, whatever its outcome; `runExitCode` maps it to the command's exit code.
 * @throws UserError where nothing was made: spec, environment, input or credentials are wrong, or the job does not fit.
 */
export const run = (_job: JobSpec | string, _options: RunOptions = {}): Promise<RunReport> => later("run");

/** Exit code of `mayfly run` for a report: the outcome's, or that of something left behind. */
export const runExitCode = (report: Pick<RunReport, "outcome" | "left">): number =>
  report.left.length > 0 ? LEFT_BEHIND_EXIT : OUTCOME_EXIT[report.outcome.kind];

/** Sizes and places a job, and makes nothing. `notes` are remarks for people. */
export const planJob = (
  _job: JobSpec | string,
  _options: EnvironmentOptions & Pick<RunOptions, "runId"> = {},
): Promise<{ readonly plan: Plan; readonly notes: readonly string[] }> => later("planJob");

/** What `pulumi preview` shows for the job's stack. Makes nothing. */
export const previewJob = (
  _job: JobSpec | string,
  _options: EnvironmentOptions & Pick<RunOptions, "runId" | "signal"> = {},
): Promise<JobPreview> => later("previewJob");

/** Runs that this machine knows of, newest first. Reads records only. */
export const listRuns = (): Promise<readonly RunSummary[]> => later("listRuns");

/** @throws UserError `unknown-run` */
export const runStatus = (_run: string, _options: EnvironmentOptions = {}): Promise<RunStatus> =>
  later("runStatus");

/** Gives a run's log lines to `onLine`: from the pods while they live, else from S3. @throws UserError `unknown-run` */
export const runLogs = (_run: string, _options: LogOptions): Promise<void> => later("runLogs");

/**
 * Removes what is left of a run: kept, or its helper died.
 * @throws UserError `unknown-run`; `run-active` while its helper lives.
 */
export const destroyRun = (_run: string, _options: DestroyOptions = {}): Promise<DestroyResult> =>
  later("destroyRun");

/** What the second and third Ctrl-C do is decided here, not in the command: see signals.ts. */
export interface Interruptions {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Feed the run's events here so that later Ctrl-C can say what goes on and since when. */
  readonly observe: NonNullable<RunOptions["onEvent"]>;
  /** Takes the handlers off again. */
  readonly dispose: () => void;
}

/**
 * Handles SIGINT and SIGTERM around one `run`: first cancels (and still destroys), second says what goes on and how long, third
 * leaves at once and names the command that cleans up.
 * @param say Prints one line for people.
 */
export const handleInterruptions = (_say: (line: string) => void): Interruptions =>
  later("handleInterruptions");

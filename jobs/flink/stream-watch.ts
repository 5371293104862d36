import type { Outcome } from "../../schema/outcome.ts";
import { isRunning } from "./rescale.ts";
import type { FlinkCheckpoints, FlinkJob, StreamSample } from "./types.ts";

/** One look at Flink's REST, or why there was none. */
export type Look =
  | {
      readonly type: "job";
      readonly job: FlinkJob;
      /** Of the last failure, where the job has failed or was restarted; asked for only then. */
      readonly exception?: string | undefined;
    }
  | { readonly type: "no-job"; readonly message: string }
  /** `denied`: not let through, which waiting does not change. */
  | { readonly type: "away"; readonly message: string; readonly denied?: boolean };

/** What is known of a stream from look to look. */
export interface StreamKnowledge {
  readonly healthy: boolean;
  /** Since when REST is away, or has no such job, by the watch's clock. */
  readonly awaySince: number | undefined;
  readonly lostSince: number | undefined;
  /** That somebody was told of it. */
  readonly awayTold: boolean;
  readonly restarts: number | undefined;
  readonly checkpointsFailed: number | undefined;
}

export const nothingKnown: StreamKnowledge = {
  healthy: false,
  awaySince: undefined,
  lostSince: undefined,
  awayTold: false,
  restarts: undefined,
  checkpointsFailed: undefined,
};

export interface Judged {
  readonly known: StreamKnowledge;
  readonly becameHealthy: boolean;
  readonly warnings: readonly string[];
  readonly outcome: Outcome | undefined;
}

/** Shorter silences are not worth a word. */
const AWAY_MS = 30_000;

/** A JobManager that answers, but does not know of a job that ran, is not the one that ran it; a new one has its job again by then. */
const LOST_MS = 120_000;

/** What a look says. @param now Milliseconds, of a clock that never goes back. Pure. */
export function judge(known: StreamKnowledge, look: Look, now: number): Judged {
  if (look.type !== "job") return judgeSilence(known, look, now);
  const { job, exception } = look;
  const becameHealthy = !known.healthy && isRunning(job);
  return {
    known: {
      ...known,
      healthy: known.healthy || becameHealthy,
      awaySince: undefined,
      lostSince: undefined,
      awayTold: false,
    },
    becameHealthy,
    warnings: known.awayTold ? ["Flink's JobManager answers again."] : [],
    outcome: outcomeOf(job, exception),
  };
}

function judgeSilence(known: StreamKnowledge, look: Exclude<Look, { type: "job" }>, now: number): Judged {
  const awaySince = known.awaySince ?? now;
  const lostSince = look.type === "no-job" ? (known.lostSince ?? now) : undefined;
  const isDenied = look.type === "away" && look.denied === true;
  const isLong = known.healthy && now - awaySince >= AWAY_MS;
  const isTold = !known.awayTold && (isDenied || isLong);
  const isLost = known.healthy && lostSince !== undefined && now - lostSince >= LOST_MS;
  return {
    known: { ...known, awaySince, lostSince, awayTold: known.awayTold || isTold },
    becameHealthy: false,
    warnings: isTold
      ? [isLong ? `${look.message} (for ${Math.round((now - awaySince) / 1000)} s).` : look.message]
      : [],
    outcome: isLost
      ? {
          kind: "infrastructure",
          message: `Flink's JobManager answers, but has no such job any more: ${look.message}`,
        }
      : undefined,
  };
}

/** `FINISHED` is a success: what a stream has read is all done. */
function outcomeOf({ state }: FlinkJob, exception: string | undefined): Outcome | undefined {
  if (state === "FINISHED") return { kind: "succeeded" };
  if (state === "CANCELED") {
    return { kind: "cancelled", message: "Flink says that the job was cancelled." };
  }
  if (state !== "FAILED") return undefined;
  // The JobManager lives on, so that no container has an exit code.
  const failed = { kind: "user-failure", exitCode: 1 } as const;
  return exception === undefined
    ? { ...failed, message: "The job failed; Flink gives no reason." }
    : { ...failed, exception, message: `The job failed, and Flink does not start it again: ${exception}` };
}

/** What changed since the last sample that people should know. Pure. */
export function noteSample(
  known: StreamKnowledge,
  sample: StreamSample,
  checkpoints: FlinkCheckpoints,
  exception: string | undefined,
): { readonly known: StreamKnowledge; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  if (known.restarts !== undefined && sample.restarts > known.restarts) {
    const times = sample.restarts - known.restarts;
    warnings.push(
      `Flink restarted the job${times === 1 ? "" : ` ${times} times`}${exception === undefined ? "" : `: ${exception}`}`,
    );
  }
  if (known.checkpointsFailed !== undefined && checkpoints.failed > known.checkpointsFailed) {
    const { lastFailure } = checkpoints;
    const what = lastFailure === undefined ? "A checkpoint" : `Checkpoint ${lastFailure.id}`;
    warnings.push(`${what} failed: ${lastFailure?.message ?? "no reason given"}`);
  }
  return {
    known: { ...known, restarts: sample.restarts, checkpointsFailed: checkpoints.failed },
    warnings,
  };
}

/** Which metrics of a vertex tell of records, by what they are called in it. Pure. */
export interface Picked {
  /** That sources gave. */
  readonly given: readonly string[];
  /** That sinks took. */
  readonly taken: readonly string[];
  readonly pending: readonly string[];
  readonly lag: readonly string[];
}

/**
 * Picks among the names of a vertex's metrics, which are `<operator>.<metric>`; a source's operator begins with `Source__`. Sinks of
 * the present API count `numRecordsSend`, older ones are operators that begin with `Sink__`.
 * https://cwiki.apache.org/confluence/display/FLINK/FLIP-33%3A+Standardize+Connector+Metrics
 */
export function pickMetrics(names: readonly string[]): Picked {
  const sends = names.filter((name) => name.endsWith(".numRecordsSend"));
  return {
    given: names.filter((name) => /^Source__.*\.numRecordsOut$/.test(name)),
    taken: sends.length > 0 ? sends : names.filter((name) => /^Sink__.*\.numRecordsIn$/.test(name)),
    pending: names.filter((name) => /^Source__.*\.pendingRecords$/.test(name)),
    lag: names.filter((name) => /^Source__.*\.currentFetchEventTimeLag$/.test(name)),
  };
}

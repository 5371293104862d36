import type { Outcome } from "../../schema/outcome.ts";
import { failureText } from "./answers.ts";
import { pause } from "./pause.ts";
import { isRunning } from "./rescale.ts";
import { StreamSampler } from "./sampler.ts";
import { type Judged, judge, type Look, noteSample, nothingKnown } from "./stream-watch.ts";
import { type FlinkRest, FlinkRestError, type StreamWatchOptions } from "./types.ts";

const POLL = { starting: 1000, running: 5000 } as const;

/**
 * Watches a stream by its REST until its job ends. What it can't say (nobody answers, the job is not there yet) is no verdict: pods
 * are watched beside it. FAILED is a `user-failure` with Flink's root exception; FINISHED has succeeded, though streams do not end by
 * themselves, which is said as a warning.
 * @returns undefined when `signal` ended the watch
 */
export async function watchStream(
  rest: FlinkRest,
  options: StreamWatchOptions,
): Promise<Outcome | undefined> {
  const { signal, pollMs = POLL } = options;
  const clock = options.clock ?? (() => performance.now());
  const warn = (message: string): void => options.onWarning?.(message);
  const sampler = new StreamSampler(rest);
  let known = nothingKnown;
  while (!aborted(signal)) {
    try {
      const seen = await look(rest, signal);
      const judged: Judged = judge(known, seen, clock());
      known = judged.known;
      judged.warnings.forEach(warn);
      if (judged.becameHealthy) options.onHealthy(new Date());
      if (judged.outcome !== undefined) {
        if (judged.outcome.kind === "succeeded") warn("The stream ended by itself: Flink says FINISHED.");
        return judged.outcome;
      }
      if (seen.type === "job" && known.healthy) {
        const taken = await sampler.take(seen.job, { signal });
        if (taken !== undefined) {
          const isNews = known.restarts !== undefined && taken.sample.restarts > known.restarts;
          const exception = isNews ? await rootException(rest, signal) : undefined;
          const noted = noteSample(known, taken.sample, taken.checkpoints, exception);
          known = noted.known;
          noted.warnings.forEach(warn);
          options.onSample?.(taken.sample);
        }
      }
      // A job that restarts is looked at more often: its report should say how long it took.
      const isSteady = seen.type === "job" && isRunning(seen.job);
      await pause(isSteady ? pollMs.running : pollMs.starting, signal);
    } catch (error) {
      if (aborted(signal)) return undefined;
      throw error;
    }
  }
  return undefined;
}

// A function, for the compiler narrows `signal.aborted` for a whole loop.
const aborted = (signal: AbortSignal): boolean => signal.aborted;

async function look(rest: FlinkRest, signal: AbortSignal): Promise<Look> {
  try {
    const job = await rest.job({ signal });
    return job.state === "FAILED"
      ? { type: "job", job, exception: await rootException(rest, signal) }
      : { type: "job", job };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FlinkRestError)) throw error;
    if (error.kind === "not-found") return { type: "no-job", message: error.message };
    return { type: "away", message: error.message, denied: error.kind !== "away" && error.status !== 500 };
  }
}

/** In one line; undefined where it can't be had now. */
async function rootException(rest: FlinkRest, signal: AbortSignal): Promise<string | undefined> {
  try {
    const trace = await rest.rootException({ signal });
    return trace === undefined ? undefined : failureText(trace, trace);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof FlinkRestError)) throw error;
    return undefined;
  }
}

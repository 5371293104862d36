// What a stream's report says of it, from what its REST and the ledger told. Pure.
import type { RunEvent } from "../../schema/events.ts";
import type { StreamReport } from "../../schema/stream.ts";
import type { StreamSample } from "../flink/types.ts";
import { type Checkpointing, troublesOf } from "../watch/health.ts";

/** What is known of a stream beside what its REST told. */
export interface StreamFacts {
  readonly startedFrom?: StreamReport["startedFrom"];
  readonly savepoints: StreamReport["savepoints"];
  readonly newest?: StreamReport["newest"];
  /** Of the spec; checkpoints are not judged where it is left out. */
  readonly checkpointing?: Checkpointing | undefined;
  /** What was told of the same attempt before, by whoever looked then: its numbers count where there are no samples. */
  readonly before?: StreamReport | undefined;
}

/** What helpers were told last of an attempt, by a run's events. */
export const lastTold = (events: readonly RunEvent[], attempt: number): StreamReport | undefined =>
  events
    .flatMap((event) => (event.type === "stream" && event.attempt === attempt ? [event.stream] : []))
    .at(-1);

/** Over how long rates are taken. */
const RATE_MS = 60_000;
/** Flink's JobManager fetches metrics every ten seconds (metrics.fetcher.update-interval): what is nearer together shows no rate. */
const NEWS_MS = 15_000;

const iso = (ms: number): string => new Date(ms).toISOString();
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** @param samples Of this attempt, oldest first. */
export function streamReport(samples: readonly StreamSample[], facts: StreamFacts): StreamReport {
  const { startedFrom, savepoints, newest, checkpointing, before } = facts;
  const last = samples.at(-1);
  return {
    ...(last === undefined ? before : numbersOf(samples, last, before)),
    ...(startedFrom === undefined ? {} : { startedFrom }),
    savepoints,
    ...(newest === undefined ? {} : { newest }),
    unhealthy:
      last === undefined
        ? (before?.unhealthy ?? [])
        : troublesOf(samples, checkpointing).map(({ message }) => message),
  };
}

function numbersOf(
  samples: readonly StreamSample[],
  last: StreamSample,
  before: StreamReport | undefined,
): Omit<StreamReport, "savepoints" | "unhealthy"> {
  const lag = {
    ...(last.pendingRecords === undefined ? {} : { records: last.pendingRecords }),
    ...(last.lagMs === undefined ? {} : { seconds: round(last.lagMs / 1000) }),
  };
  return {
    at: iso(last.at),
    state: last.state,
    uptimeSeconds: round(last.uptimeMs / 1000),
    restarts: last.restarts,
    parallelism: last.parallelism,
    checkpoints: checkpointsOf(last),
    records: { in: last.recordsIn, out: last.recordsOut, ...ratesOf(samples, last, before) },
    ...(Object.keys(lag).length === 0 ? {} : { lag }),
  };
}

function checkpointsOf({ checkpoints }: StreamSample): NonNullable<StreamReport["checkpoints"]> {
  const { completed, failed, lastId, lastAt, lastBytes, lastDurationMs, mean } = checkpoints;
  const isKnown =
    lastId !== undefined && lastAt !== undefined && lastBytes !== undefined && lastDurationMs !== undefined;
  return {
    completed,
    failed,
    ...(isKnown
      ? { last: { id: lastId, at: iso(lastAt), bytes: lastBytes, seconds: round(lastDurationMs / 1000, 3) } }
      : {}),
    ...(mean === undefined || completed === 0
      ? {}
      : {
          mean: { of: completed, bytes: Math.round(mean.bytes), seconds: round(mean.durationMs / 1000, 3) },
        }),
  };
}

/**
 * Records a second over the last minute, or since Flink was asked before. None where its counters began anew meanwhile, as they do with
 * each restart and each rescale.
 */
function ratesOf(
  samples: readonly StreamSample[],
  last: StreamSample,
  before: StreamReport | undefined,
): Pick<NonNullable<StreamReport["records"]>, "inPerSecond" | "outPerSecond"> {
  const looks = samples.filter(({ at }) => at >= last.at - RATE_MS && at <= last.at - NEWS_MS);
  const since = looks.find(({ restarts }) => restarts === last.restarts) ?? asSample(before);
  if (since === undefined || since.at > last.at - NEWS_MS) return {};
  if (since.restarts !== last.restarts || since.parallelism !== last.parallelism) return {};
  if (last.recordsIn < since.recordsIn || last.recordsOut < since.recordsOut) return {};
  const seconds = (last.at - since.at) / 1000;
  return {
    inPerSecond: round((last.recordsIn - since.recordsIn) / seconds),
    outPerSecond: round((last.recordsOut - since.recordsOut) / seconds),
  };
}

function asSample(before: StreamReport | undefined) {
  const { at, records, restarts, parallelism } = before ?? {};
  return at === undefined || records === undefined
    ? undefined
    : { at: Date.parse(at), restarts, parallelism, recordsIn: records.in, recordsOut: records.out };
}

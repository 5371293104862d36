// Whether a stream is well, by what its REST told. Pure.
import type { FlinkStreamJob } from "../../schema/job.ts";
import { parseDuration } from "../../schema/quantity.ts";
import type { StreamSample } from "../flink/types.ts";

/** What a stream's checkpoints are to be: by it they are late or not. In seconds. */
export interface Checkpointing {
  readonly interval: number;
  readonly timeout: number;
  readonly tolerableFailures: number;
}

/** Why a stream is not well. */
export interface Trouble {
  readonly kind: "restarts" | "checkpoints" | "stopped";
  readonly message: string;
}

/** @param checkpoints Of the spec, whose durations were validated. */
export const checkpointingOf = ({ checkpoints }: Pick<FlinkStreamJob, "checkpoints">): Checkpointing => ({
  interval: parseDuration(checkpoints.interval) ?? 60,
  timeout: parseDuration(checkpoints.timeout) ?? 600,
  tolerableFailures: checkpoints.tolerableFailures,
});

const MINUTE_MS = 60_000;

/**
 * More restarts than this in ten minutes are too many. Flink's Kubernetes operator takes 64 in two minutes, which a job reaches only with
 * a fixed delay of a second; by our default (one second, half as much more each time, at most a minute) one that fails at once comes to
 * about ten in its first two minutes and to one a minute from then on.
 */
export const RESTARTS = { most: 5, withinMs: 10 * MINUTE_MS } as const;
/** As long may a job be without running tasks, and without a checkpoint where those are quick. */
export const STANDSTILL_MS = 5 * MINUTE_MS;

/**
 * How long a stream may be without a completed checkpoint: five minutes, or as long as its own settings let a few of them fail, if that is
 * longer. As ClusterHealthEvaluator of Flink's Kubernetes operator:
 * https://github.com/apache/flink-kubernetes-operator/blob/main/flink-kubernetes-operator/src/main/java/org/apache/flink/kubernetes/operator/observer/ClusterHealthEvaluator.java
 */
export const checkpointWindowMs = ({ interval, timeout, tolerableFailures }: Checkpointing): number =>
  Math.max(STANDSTILL_MS, Math.max(interval, timeout) * 1000 * (tolerableFailures + 2));

const minutes = (ms: number): string => `${Math.round(ms / MINUTE_MS)} min`;

/**
 * Why a stream is not well; empty where it is, and where nothing is known.
 * @param samples Of one attempt, oldest first.
 * @param checkpointing Checkpoints are not judged where it is left out.
 */
export function troublesOf(
  samples: readonly StreamSample[],
  checkpointing: Checkpointing | undefined,
): readonly Trouble[] {
  const last = samples.at(-1);
  const first = samples[0];
  if (last === undefined || first === undefined) return [];
  return [
    restartTrouble(samples, last),
    standstill(samples, first, last),
    checkpointing === undefined ? undefined : checkpointTrouble(checkpointing, first, last),
  ].filter((trouble) => trouble !== undefined);
}

function restartTrouble(samples: readonly StreamSample[], last: StreamSample): Trouble | undefined {
  const since = samples.find(({ at }) => at >= last.at - RESTARTS.withinMs) ?? last;
  // A JobManager that was started again counts from 0.
  const count = last.restarts >= since.restarts ? last.restarts - since.restarts : last.restarts;
  return count <= RESTARTS.most
    ? undefined
    : {
        kind: "restarts",
        message: `Flink restarted its job ${count} times in ${minutes(Math.max(MINUTE_MS, last.at - since.at))}.`,
      };
}

function standstill(
  samples: readonly StreamSample[],
  first: StreamSample,
  last: StreamSample,
): Trouble | undefined {
  if (last.state === "RUNNING") return undefined;
  const ms = last.at - (samples.findLast(({ state }) => state === "RUNNING") ?? first).at;
  return ms <= STANDSTILL_MS
    ? undefined
    : { kind: "stopped", message: `Flink's job has not run for ${minutes(ms)}: it is ${last.state}.` };
}

function checkpointTrouble(
  checkpointing: Checkpointing,
  first: StreamSample,
  last: StreamSample,
): Trouble | undefined {
  const { lastAt, lastDurationMs = 0, failed } = last.checkpoints;
  const ms = last.at - Math.max(first.at, (lastAt ?? 0) + lastDurationMs);
  return ms <= checkpointWindowMs(checkpointing)
    ? undefined
    : {
        kind: "checkpoints",
        message: `No checkpoint was completed for ${minutes(ms)}, and ${failed} have failed: after a failure the stream goes back so far.`,
      };
}

/** Warns of each trouble once as it comes, and says when all is well again. */
export function healthTeller(
  checkpointing: Checkpointing | undefined,
  warn: (message: string) => void,
): (samples: readonly StreamSample[]) => void {
  const told = new Set<Trouble["kind"]>();
  return (samples) => {
    const troubles = troublesOf(samples, checkpointing);
    for (const { kind, message } of troubles) {
      if (!told.has(kind)) warn(`The stream is not well: ${message}`);
      told.add(kind);
    }
    if (troubles.length > 0 || told.size === 0) return;
    told.clear();
    warn("The stream is well again.");
  };
}

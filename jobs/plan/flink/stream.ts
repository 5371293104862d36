import type { FlinkStreamJob } from "../../../schema/job.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import { SCRATCH } from "./layout.ts";
import { flinkDuration } from "./restart.ts";

/** Seconds for more TaskManagers to come, before a job starts on those that are there. */
const START_STABLE = "10 s";

/** Seconds in which nothing more comes or goes before a running job takes what is there; and from one such change to the next. */
const RUN_STABLE = "5 s";

/**
 * The adaptive scheduler, which alone can give a running job another parallelism
 * (https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/elastic_scaling/), and restarts a job on what is left of its
 * TaskManagers where one is lost and none comes. Its options have other names in 1.x (FLINK-36014).
 * @param patience How long it waits for a first slot: Flink's duration.
 */
const scheduler = (version: string, patience: string): Record<string, string> => {
  const key = (name: string): string => `jobmanager.adaptive-scheduler.${name}`;
  return {
    "jobmanager.scheduler": "adaptive",
    ...(version.startsWith("1.")
      ? {
          [key("resource-wait-timeout")]: patience,
          [key("resource-stabilization-timeout")]: START_STABLE,
          [key("scaling-interval.min")]: RUN_STABLE,
        }
      : {
          [key("submission.resource-wait-timeout")]: patience,
          [key("submission.resource-stabilization-timeout")]: START_STABLE,
          [key("executing.resource-stabilization-timeout")]: RUN_STABLE,
          [key("executing.cooldown-after-rescaling")]: RUN_STABLE,
        }),
  };
};

/** State and checkpoints. Keys of 1.20 and later. */
function state(
  { state: of, checkpoints, maxParallelism }: FlinkStreamJob,
  folders: NonNullable<FlinkPlan["state"]>,
): Record<string, string> {
  return {
    "state.backend.type": of.backend,
    ...(of.backend === "rocksdb" ? { "state.backend.rocksdb.localdir": SCRATCH.state } : {}),
    "execution.checkpointing.incremental": String(of.backend === "rocksdb" && of.incremental),
    "execution.checkpointing.interval": flinkDuration(checkpoints.interval),
    "execution.checkpointing.timeout": flinkDuration(checkpoints.timeout),
    ...(checkpoints.minPause === undefined
      ? {}
      : { "execution.checkpointing.min-pause": flinkDuration(checkpoints.minPause) }),
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "execution.checkpointing.storage": "filesystem",
    "execution.checkpointing.dir": folders.checkpoints,
    "execution.checkpointing.savepoint-dir": folders.savepoints,
    "execution.checkpointing.num-retained": String(checkpoints.retained),
    "execution.checkpointing.tolerable-failed-checkpoints": String(checkpoints.tolerableFailures),
    "execution.checkpointing.unaligned.enabled": String(checkpoints.unaligned),
    // Else a cancelled or failed job leaves nothing to go on from.
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    // What an attempt starts from is not its own: another one, or a rollback, may need it again.
    "execution.state-recovery.claim-mode": "NO_CLAIM",
    ...(maxParallelism === undefined ? {} : { "pipeline.max-parallelism": String(maxParallelism) }),
  };
}

/** What settings of a stream follow from. */
export interface StreamSettings {
  readonly version: string;
  readonly folders: NonNullable<FlinkPlan["state"]>;
  /** See {@link scheduler}. */
  readonly patience: string;
}

/** Settings of a stream beside those of every job. */
export const streamSettings = (
  spec: FlinkStreamJob,
  { version, folders, patience }: StreamSettings,
): Record<string, string> => ({
  // Its JobManager stays when the job has ended, so that the helper can ask why, and where the last savepoint is.
  "execution.shutdown-on-application-finish": "false",
  // Then a main method that fails before there is a job looks like a job that failed.
  "execution.submit-failed-job-on-application-error": "true",
  ...scheduler(version, patience),
  ...state(spec, folders),
});

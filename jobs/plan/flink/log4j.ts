import { log4jFile as file } from "../log4j.ts";

/**
 * Loggers that say more than warnings, or less: when a job started, changed its state and why it ended, which people and the outcome's
 * classification need.
 */
const LEVELS: Readonly<Record<string, string>> = {
  "org.apache.flink.runtime.jobmaster.JobMaster": "info",
  "org.apache.flink.client.deployment.application": "info",
  "org.apache.flink.runtime.checkpoint.CheckpointCoordinator": "info",
  // They warn of things that are so by design here: no native Hadoop, no metrics file, no user limits file.
  "org.apache.hadoop.util.NativeCodeLoader": "error",
  "org.apache.hadoop.metrics2": "error",
  "org.apache.flink.runtime.util.EnvironmentInformation": "error",
  // A TaskManager that is there before the JobManager says so twice a second.
  "org.apache.pekko.remote": "error",
  "org.apache.flink.shaded.netty4.io.netty.handler.ssl": "error",
};

/** None of Flink's own exceptions is without a word to people. */
const WITHOUT_TRACES = /^$/;

/** The log configuration of every JVM of a run of Flink. */
export const log4jFile = (): string => file(LEVELS, WITHOUT_TRACES);

import { log4jFile as file } from "../log4j.ts";

/**
 * Loggers that say more than warnings, or less. Daemons say rarely what people and the outcome's classification need: who
 * registered, which executor ended and with which exit code.
 */
const LEVELS: Readonly<Record<string, string>> = {
  "org.apache.spark.deploy.master.Master": "info",
  "org.apache.spark.deploy.worker.Worker": "info",
  // They warn of things that are so by design here: no native Hadoop, no metrics file, a conf folder that is empty.
  "org.apache.hadoop.util.NativeCodeLoader": "error",
  "org.apache.hadoop.metrics2": "error",
  "org.apache.spark.util.Utils": "error",
  "com.amazonaws.util.VersionInfoUtils": "error",
  // The event log flushes; that S3 can't is known.
  "org.apache.hadoop.fs.s3a.S3ABlockOutputStream": "error",
};

/** Their exceptions are of the network, and come when a run ends. */
const WITHOUT_TRACES = /^org\.apache\.spark\.deploy\./;

/** The log configuration of every JVM of a run of Spark. */
export const log4jFile = (): string => file(LEVELS, WITHOUT_TRACES);

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

/** Their exceptions are of the network, say nothing in forty lines, and come when a run ends: one line each. */
const WITHOUT_TRACES = /^org\.apache\.spark\.deploy\./;

const logger = ([name, level]: [string, string], index: number): string => {
  const lines = [`logger.l${index}.name = ${name}`, `logger.l${index}.level = ${level}`];
  if (WITHOUT_TRACES.test(name)) {
    lines.push(`logger.l${index}.additivity = false`, `logger.l${index}.appenderRef.short.ref = short`);
  }
  return lines.join("\n");
};

const appender = (name: string, exception: string): string => `appender.${name}.type = Console
appender.${name}.name = ${name}
appender.${name}.target = SYSTEM_ERR
appender.${name}.layout.type = PatternLayout
appender.${name}.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: ${exception}`;

/**
 * The log configuration of every JVM of a run: warnings and errors, one line each, on standard error.
 * https://logging.apache.org/log4j/2.x/manual/configuration.html, properties form.
 */
export const log4jFile = (): string => `status = error
rootLogger.level = warn
rootLogger.appenderRef.full.ref = full
${appender("full", "%m%n%ex")}
${appender("short", "%m %ex{short.message}%n")}
${Object.entries(LEVELS).map(logger).join("\n")}
`;

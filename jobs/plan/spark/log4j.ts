/**
 * One line an event on standard error, warnings only, for every JVM of a run. The named loggers say what people and the outcome's
 * classification need and say it rarely: who registered, which executor ended and with which exit code.
 */
const LEVELS: Readonly<Record<string, string>> = {
  "org.apache.spark.deploy.master.Master": "info",
  "org.apache.spark.deploy.worker.Worker": "info",
  // They warn of things that are so by design here: no native Hadoop, no metrics file, a conf folder that is empty.
  "org.apache.hadoop.util.NativeCodeLoader": "error",
  "org.apache.hadoop.metrics2": "error",
  "org.apache.spark.util.Utils": "error",
  "com.amazonaws.util.VersionInfoUtils": "error",
};

const logger = ([name, level]: [string, string], index: number): string =>
  `logger.l${index}.name = ${name}\nlogger.l${index}.level = ${level}`;

/** https://logging.apache.org/log4j/2.x/manual/configuration.html, properties form. */
export const log4jFile = (): string => `status = error
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: %m%n%ex
${Object.entries(LEVELS).map(logger).join("\n")}
`;

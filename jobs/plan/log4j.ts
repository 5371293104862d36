const appender = (name: string, exception: string): string => `appender.${name}.type = Console
appender.${name}.name = ${name}
appender.${name}.target = SYSTEM_ERR
appender.${name}.layout.type = PatternLayout
appender.${name}.layout.pattern = %d{HH:mm:ss.SSS} %p %c{1}: ${exception}`;

/**
 * The log configuration of every JVM of a run: warnings and errors, one line each, on standard error.
 * https://logging.apache.org/log4j/2.x/manual/configuration.html, properties form.
 * @param levels Loggers that say more than warnings, or less.
 * @param withoutTraces Loggers whose exceptions say nothing in forty lines: one line each.
 */
export function log4jFile(levels: Readonly<Record<string, string>>, withoutTraces: RegExp): string {
  const loggers = Object.entries(levels).map(([name, level], index) => {
    const lines = [`logger.l${index}.name = ${name}`, `logger.l${index}.level = ${level}`];
    if (withoutTraces.test(name)) {
      lines.push(`logger.l${index}.additivity = false`, `logger.l${index}.appenderRef.short.ref = short`);
    }
    return lines.join("\n");
  });
  return `status = error
rootLogger.level = warn
rootLogger.appenderRef.full.ref = full
${appender("full", "%m%n%ex")}
${appender("short", "%m %ex{short.message}%n")}
${loggers.join("\n")}
`;
}

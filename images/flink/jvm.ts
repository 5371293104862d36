import { type FlinkRole, LAYOUT } from "./layout.ts";

const all = (kind: "exports" | "opens", names: string): string[] =>
  names.split(" ").map((name) => `--add-${kind}=${name}=ALL-UNNAMED`);

/**
 * What Flink's own default configuration gives every JVM on Java 17 (env.java.opts.all), less the compiler's module, which a run-time
 * environment has not. The package on PyPI does not have that file.
 * https://github.com/apache/flink/blob/release-2.3.0/flink-dist/src/main/resources/config.yaml
 */
const MODULE_OPTIONS = [
  ...all("exports", "java.base/sun.net.util java.rmi/sun.rmi.registry java.security.jgss/sun.security.krb5"),
  ...all("opens", "java.base/java.lang java.base/java.net java.base/java.io java.base/java.nio"),
  ...all("opens", "java.base/sun.nio.ch java.base/java.lang.reflect java.base/java.text java.base/java.time"),
  ...all("opens", "java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic"),
  ...all("opens", "java.base/java.util.concurrent.locks"),
];

/**
 * The quick compiler only, where a JVM starts anew with each run and then does little: it makes the JobManager run with half the CPU
 * time. TaskManagers do the work. A job that plans much in its main method sets the other one again, by conf of env.java.opts.jobmanager.
 */
const ROLE_OPTIONS: Readonly<Record<FlinkRole, readonly string[]>> = {
  jobmanager: ["-XX:TieredStopAtLevel=1"],
  taskmanager: [],
};

/**
 * The role's argument file (`java @file`) but for its first two lines, `-cp` and the class path, which files/assemble.sh adds: it
 * knows the jars. Sizes, addresses and main class come from whoever starts the JVM, after the `@file`.
 */
export const jvmOptions = (role: FlinkRole): string =>
  [
    `-XX:SharedArchiveFile=${LAYOUT.archive}`,
    "-Xshare:auto",
    "-XX:-UsePerfData",
    "-XX:+IgnoreUnrecognizedVMOptions",
    ...ROLE_OPTIONS[role],
    ...MODULE_OPTIONS,
    "",
  ].join("\n");

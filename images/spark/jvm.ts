import { LAYOUT, type SparkRole } from "./layout.ts";
import type { SparkRecipe } from "./recipe.ts";

/** Daemons live briefly and do little: the quick compiler, the small collector, no /tmp/hsperfdata. */
const DAEMON_OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData"];

/** Executors get the launcher's options from the driver's SparkContext, the driver has no launcher. */
const OPTIONS: Readonly<Record<SparkRole, (recipe: SparkRecipe) => readonly string[]>> = {
  master: ({ launcherOptions }) => [...DAEMON_OPTIONS, ...launcherOptions],
  worker: ({ launcherOptions }) => [...DAEMON_OPTIONS, ...launcherOptions],
  driver: ({ launcherOptions, driverOptions }) => [...launcherOptions, ...driverOptions],
  executor: () => [],
};

/**
 * The role's argument file (`java @file`) but for its first two lines, `-cp` and the class path, which files/assemble.sh adds: it
 * knows the jars. Heap, addresses and main class come from whoever starts the JVM, after the `@file`.
 */
export const jvmOptions = (recipe: SparkRecipe, role: SparkRole): string =>
  [`-XX:SharedArchiveFile=${LAYOUT.archive}`, "-Xshare:auto", ...OPTIONS[role](recipe), ""].join("\n");

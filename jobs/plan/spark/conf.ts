import { insteadOf, type ReservedKeys, refuseKeys, refuseOptions } from "../conf.ts";

/** Properties that Mayfly computes or that have no meaning in its clusters, and what to use instead. First match counts. */
const RESERVED: readonly ReservedKeys[] = [
  { pattern: /^spark\.app\.name$/, instead: "name" },
  { pattern: /^spark\.executor\.memory$/, instead: "workers.memory" },
  {
    pattern: /^spark\.executor\.(memoryOverhead|memoryOverheadFactor|minMemoryOverhead)$/,
    instead: "workers.overhead",
  },
  { pattern: /^spark\.executor\.pyspark\.memory$/, instead: "workers.pythonMemory" },
  { pattern: /^spark\.executor\.cores$/, instead: "workers.cores" },
  { pattern: /^spark\.(executor\.instances|cores\.max)$/, instead: "workers.count" },
  {
    pattern: /^spark\.dynamicAllocation\./,
    instead: "workers.count: the number of workers is fixed for a run",
  },
  { pattern: /^spark\.memory\.offHeap\.(enabled|size)$/, instead: "workers.offHeap" },
  { pattern: /^spark\.driver\.memory$/, instead: "driver.memory" },
  {
    pattern: /^spark\.driver\.(memoryOverhead|memoryOverheadFactor|minMemoryOverhead)$/,
    instead: "driver.overhead",
  },
  { pattern: /^spark\.driver\.cores$/, instead: "driver.cores" },
  { pattern: /^spark\.local\.dir$/, instead: "scratch" },
  { pattern: /^spark\.eventLog\.(enabled|dir)$/, instead: "output.eventLog" },
  { pattern: /^spark\.submit\.pyFiles$/, instead: "application.pyFiles" },
  { pattern: /^spark\.(jars|(driver|executor)\.extraClassPath)$/, instead: "application.jars" },
  { pattern: /^spark\.files$/, instead: "files" },
  { pattern: /^spark\.executorEnv\./, instead: "environment or secrets" },
  {
    pattern: /^spark\.hadoop\.fs\.s3a?\.(bucket\.[^.]+\.)?(access|secret|session)\./,
    instead: "the tenant's own identity",
  },
  {
    pattern:
      /^spark\.hadoop\.fs\.s3a?\.(impl|endpoint|endpoint\.region|path\.style\.access|connection\.ssl\.enabled|aws\.credentials\.provider|buffer\.dir)$/,
    instead: "the environment's S3 settings",
  },
  {
    pattern:
      /^spark\.(authenticate|network\.crypto|ssl|master|worker|deploy|submit|kubernetes|yarn|port)(\.|$)/,
    instead: undefined,
  },
  {
    pattern:
      /^spark\.(driver\.(host|port|bindAddress|blockManager\.port|defaultJavaOptions|extraLibraryPath)|executor\.(defaultJavaOptions|extraLibraryPath)|blockManager\.port|ui\.(port|enabled|killEnabled|reverseProxy.*|proxyBase)|decommission\.enabled|storage\.decommission\.enabled|pyspark\.(driver\.)?python)$/,
    instead: undefined,
  },
];

/** What to do instead of setting a property with `conf`; undefined where a job may set it. */
export const reservedProperty = (key: string): string | undefined => insteadOf(RESERVED, key);

/** JVM options that would contradict the plan. */
const RESERVED_OPTION =
  /^(-Xmx|-Xms|-cp$|-classpath$|--class-path|-XX:SharedArchiveFile|-Xshare|-XX:ActiveProcessorCount|@)/;

/** Splits a value of extraJavaOptions as a shell would: at white space outside of quotes. */
export function splitOptions(text: string): string[] {
  const words = text.match(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g) ?? [];
  return words.map((word) => word.replaceAll(/"([^"]*)"|'([^']*)'/g, "$1$2"));
}

/** Refuses a job's `conf` that names computed properties, all of them at once. */
export function checkConf(conf: Readonly<Record<string, string>>): void {
  refuseKeys(conf, reservedProperty);
  refuseOptions(conf, ["spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"], {
    split: splitOptions,
    reserved: RESERVED_OPTION,
    hint: "Heaps come from driver.memory and workers.memory; the class path from application.jars.",
  });
}

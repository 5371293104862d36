/** Where things are in a Spark image. jobs/plan/spark/layout.ts says the same for the pods; a test compares them. */
export const LAYOUT = {
  home: "/opt/spark",
  /** Empty. On the class path behind all jars, so that a folder mounted here does not make the archives useless. */
  conf: "/opt/spark/conf",
  jars: "/opt/spark/jars",
  python: "/opt/spark/python",
  /** Working folder; read-only in a pod unless a volume is mounted over it. */
  workDir: "/opt/spark/work-dir",
  /** Class-data archive, one for all roles: they share most of their classes. */
  archive: "/opt/spark/cds/spark.jsa",
  /** JVM arguments of a role, for `java @file`. */
  arguments: (role: SparkRole): string => `/opt/spark/jvm/${role}.args`,
} as const;

/** The four kinds of JVM in a standalone cluster. */
export const SPARK_ROLES = ["master", "worker", "driver", "executor"] as const;
export type SparkRole = (typeof SPARK_ROLES)[number];

/** The user that everything runs as; 185 as in Spark's own images. */
export const USER = { name: "spark", id: 185 } as const;

/** Arguments of files/assemble.sh. @param build Folder of its input, inside the image. */
export const assembleArguments = (build: string): string[] => [
  build,
  USER.name,
  String(USER.id),
  LAYOUT.workDir,
];

/** The image's environment. Nothing in it depends on the pod. */
export const environment = (scala: string): Readonly<Record<string, string>> => ({
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: LAYOUT.workDir,
  SPARK_HOME: LAYOUT.home,
  SPARK_SCALA_VERSION: scala,
  PYTHONPATH: LAYOUT.python,
  PYTHONUNBUFFERED: "1",
});

/** tini passes signals on and reaps what Spark's children leave behind. */
export const ENTRYPOINT = ["/usr/bin/tini", "--"] as const;

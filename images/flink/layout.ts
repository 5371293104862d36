/** Where things are in a Flink image. jobs/plan/flink/layout.ts says the same for the pods; a test compares them. */
export const LAYOUT = {
  home: "/opt/flink",
  lib: "/opt/flink/lib",
  /** Each plugin in a folder, hence a class loader, of its own. */
  s3Plugin: "/opt/flink/plugins/s3-fs-hadoop",
  /** Working folder; read-only in a pod unless a volume is mounted over it. */
  workDir: "/opt/flink/work-dir",
  /** Class-data archive, one for both roles: they share most of their classes. */
  archive: "/opt/flink/cds/flink.jsa",
  /** JVM arguments of a role, for `java @file`. */
  arguments: (role: FlinkRole): string => `/opt/flink/jvm/${role}.args`,
} as const;

/** The two kinds of JVM in a cluster. */
export const FLINK_ROLES = ["jobmanager", "taskmanager"] as const;
export type FlinkRole = (typeof FLINK_ROLES)[number];

/** The user that everything runs as: the same number as in the Spark images, which pods are given. */
export const USER = { name: "flink", id: 185 } as const;

/** Arguments of files/assemble.sh. @param build Folder of its input, inside the image. */
export const assembleArguments = (build: string): string[] => [
  build,
  USER.name,
  String(USER.id),
  LAYOUT.workDir,
  LAYOUT.s3Plugin,
];

/**
 * Arguments of files/archives.py.
 * @param build Folder of its input, inside the image.
 * @param configFile What this version reads.
 */
export const archiveArguments = (build: string, configFile: string): string[] => [
  build,
  LAYOUT.archive,
  configFile,
];

/** The image's environment. Nothing in it depends on the pod. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
  LANG: "C.UTF-8",
  HOME: LAYOUT.workDir,
  FLINK_HOME: LAYOUT.home,
  FLINK_LIB_DIR: LAYOUT.lib,
  FLINK_OPT_DIR: `${LAYOUT.home}/opt`,
  FLINK_PLUGINS_DIR: `${LAYOUT.home}/plugins`,
};

/** tini passes signals on and reaps what user code leaves behind. */
export const ENTRYPOINT = ["/usr/bin/tini", "--"] as const;

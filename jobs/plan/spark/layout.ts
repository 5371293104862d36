/** Where things are in the Spark images (images/spark, docs/images.md) and in the pods of a run. */
export const IMAGE = {
  init: "/usr/bin/tini",
  shell: "/bin/bash",
  python: "python3",
  /**
   * JVM arguments that the image brings for each role: class path, module options, class-data archive, collector of the
   * daemons. One file, since an archive is only used with the very class path it was made with.
   */
  arguments: (role: "master" | "worker" | "driver" | "executor"): string => `/opt/spark/jvm/${role}.args`,
} as const;

/**
 * Maps a class-data archive where it was made for. JDK 17 moves it to a random address by default, which makes a private copy of
 * nearly all its pages: 230 instead of 82 MB of memory for a master, in every JVM of a run (docs/plan.md). Random addresses guard a
 * long-lived server, not JVMs that run the tenant's own code for one job. https://bugs.openjdk.org/browse/JDK-8296157
 */
export const ARCHIVE_FLAGS = ["-XX:+UnlockDiagnosticVMOptions", "-XX:ArchiveRelocationMode=0"] as const;

/** Mount points. */
export const MOUNTS = {
  config: "/etc/mayfly",
  authentication: "/var/run/secrets/mayfly/authentication",
  webIdentity: "/var/run/secrets/mayfly/web-identity",
  scratch: "/scratch",
  temporary: "/tmp",
} as const;

/** Folders in the scratch volume. */
export const SCRATCH = {
  /** SPARK_LOCAL_DIRS: shuffle and spill. */
  local: `${MOUNTS.scratch}/local`,
  /** Working folders: the driver's, and those of a worker's executors with their output. */
  work: `${MOUNTS.scratch}/work`,
  /** TMPDIR and java.io.tmpdir. */
  temporary: `${MOUNTS.scratch}/tmp`,
  /** Buffers of the S3 client. */
  s3: `${MOUNTS.scratch}/s3`,
} as const;

/** Fixed, so that a NetworkPolicy can name them. Driver and executors are in pods of their own, so they can share one. */
export const PORTS = {
  master: 7077,
  masterUi: 8080,
  driver: 7078,
  worker: 7078,
  workerUi: 8081,
  blockManager: 7079,
  driverUi: 4040,
} as const;

/** Name of the coordinator's Service and pods, and of the workers'. */
export const COORDINATOR = "coordinator";
export const WORKERS = "worker";

/** The file of the run's secret in {@link MOUNTS}.authentication; hexadecimal or base64, so that it needs no escaping. */
export const SECRET_FILE = `${MOUNTS.authentication}/secret`;

/** Where things are in the Flink images (images/flink, docs/images.md) and in the pods of a run. */
export const IMAGE = {
  init: "/usr/bin/tini",
  shell: "/bin/bash",
  home: "/opt/flink",
  /** JVM arguments that the image brings for each role: class path, module options, collector. */
  arguments: (role: "jobmanager" | "taskmanager"): string => `/opt/flink/jvm/${role}.args`,
} as const;

/** Mount points. */
export const MOUNTS = {
  config: "/etc/mayfly",
  authentication: "/var/run/secrets/mayfly/authentication",
  webIdentity: "/var/run/secrets/mayfly/web-identity",
  s3: "/var/run/secrets/mayfly/s3",
  /** Where clients of Kubernetes look for a pod's token. */
  kubernetes: "/var/run/secrets/kubernetes.io/serviceaccount",
  scratch: "/scratch",
  temporary: "/tmp",
} as const;

/** Folders in the scratch volume. */
export const SCRATCH = {
  /** io.tmp.dirs: spilled data, the blob store. */
  io: `${MOUNTS.scratch}/io`,
  /** RocksDB's files. */
  state: `${MOUNTS.scratch}/state`,
  /** Where Flink keeps the job jars that it fetched. */
  artifacts: `${MOUNTS.scratch}/artifacts`,
  /** Working folder. */
  work: `${MOUNTS.scratch}/work`,
  /** TMPDIR and java.io.tmpdir: libraries that Flink unpacks. */
  temporary: `${MOUNTS.scratch}/tmp`,
} as const;

/** Files in {@link MOUNTS}.temporary that the start script makes for its own container alone. */
export const PRIVATE = {
  keystore: `${MOUNTS.temporary}/internal.p12`,
  credentials: `${MOUNTS.temporary}/aws-credentials`,
} as const;

/** Fixed, so that a NetworkPolicy can name them. JobManager and TaskManagers are in pods of their own, so they can share some. */
export const PORTS = {
  /** JobManager. */
  rpc: 6123,
  blob: 6124,
  /** TaskManager. */
  data: 6121,
  taskRpc: 6122,
  /** Results that a job's main method collects. */
  collect: 6125,
  /** Flink's own metrics, which the JobManager asks the TaskManagers for. */
  query: 6126,
  /** Prometheus. */
  metrics: 9249,
  /** REST, on the JobManager's loopback only. */
  rest: 8081,
} as const;

/** Name of the JobManager's Service and Job, and of the TaskManagers. */
export const COORDINATOR = "coordinator";
export const WORKERS = "worker";

/** The file of the run's secret in {@link MOUNTS}.authentication. */
export const SECRET_FILE = `${MOUNTS.authentication}/secret`;

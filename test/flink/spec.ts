// The stream that all rows are about: small, quick to checkpoint, and its counts tell whether anything was lost or counted twice.

/** Replaces fields of a spec; those that are undefined are left out. */
export type SpecChanges = Readonly<Record<string, unknown>>;

export const BUCKET = "demo-output";
const JARS = "s3://demo-code/flink-jobs";
const EXAMPLES = "dev.mayfly.examples";

/** @param jar `flink-jobs`, or `flink-jobs-v2`, which has a second version of KeyedCounts. */
export const application = (mainClass = "KeyedCounts", jar = "flink-jobs"): object => ({
  kind: "jar",
  file: `${JARS}/${jar}.jar`,
  mainClass: `${EXAMPLES}.${mainClass}`,
});

/** Keys below which a stream of the suite keeps everything. */
export const folderOf = (name: string): string => `flink-suite/${name}/`;
export const stateKey = (name: string): string => `${folderOf(name)}state/`;
export const outputUrl = (name: string): string => `s3://${BUCKET}/${folderOf(name)}out/`;

/** Numbers a second that each parallel task counts: many enough to see a lost one, few enough for a shared processor. */
const RATE = 50;

export const taskManagers = (count: number, slots = 2): object => ({
  count,
  slots,
  cpu: "250m",
  memory: "1280Mi",
});

/** One JobManager and one TaskManager of two slots: 750 millicores, so that two fit the lab's node. */
export const streamSpec = (name: string, changes: SpecChanges = {}): object => ({
  apiVersion: "mayfly.dev/v1",
  name,
  tenant: "demo",
  engine: "flink",
  version: "2.3",
  kind: "stream",
  application: application(),
  arguments: [outputUrl(name), "--rate", String(RATE)],
  jobManager: { cpu: "500m", memory: "1Gi" },
  taskManagers: taskManagers(1),
  checkpoints: { location: `s3://${BUCKET}/${stateKey(name)}`, interval: "4s", timeout: "1m" },
  maxParallelism: 128,
  scratch: { kind: "emptyDir", size: "512Mi" },
  placement: { zone: "lab-a" },
  output: { locations: [outputUrl(name)] },
  ...changes,
});

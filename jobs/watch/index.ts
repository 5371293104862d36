// The helper's view of a cluster: looks at it, watches a run, proves that nothing is left of it. Only jobs/engine talks to
// Kubernetes besides.
export { type Cluster, checkCluster, openCluster } from "./cluster.ts";
export { checkFence } from "./fence-check.ts";
export { findLeftovers } from "./leftovers.ts";
export { containerLogs, followLog, lastLines } from "./logs.ts";
export { namespaceState, removeNamespace, waitGone } from "./namespace.ts";
export type * from "./observe.ts";
export { observePods } from "./pods.ts";
export { watchRun } from "./run.ts";
export { checkSecrets, deliverSecrets } from "./secrets.ts";
export type * from "./types.ts";

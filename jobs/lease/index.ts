// Who works on a run: one helper at a time, by a Lease in the cluster. Knows no Kubernetes client; jobs/watch/lease-api.ts is the port.
export { acquireLease, holderName } from "./acquire.ts";
export { LeaseLost } from "./errors.ts";
export type { Lease } from "./lease.ts";
export type { LeaseTiming } from "./types.ts";

// Who works on a run: one helper at a time, by a Lease in the cluster. Knows no Kubernetes client; jobs/watch/lease-api.ts is the port.
export { type AcquireOptions, acquireLease, holderName } from "./acquire.ts";
export { LeaseLost, type LossReason } from "./errors.ts";
export type { Lease, Released } from "./lease.ts";
export { LEASE_TIMING, type LeasePort, type LeaseTiming } from "./types.ts";

/** A Lease of coordination.k8s.io/v1 as it was read: what decides who works on a run. */
export interface LeaseRecord {
  readonly uid: string;
  /** Changes with every write of the object, whoever makes it; a write over an older one is refused. */
  readonly resourceVersion: string;
  /** Empty when nobody holds it. */
  readonly holder: string;
  /** Changes of holder so far; the fence is one more. */
  readonly transitions: number;
  /** As written by the holder, by its own clock: only ever compared for change. */
  readonly renewTime: string;
  /** How long the holder may go without renewing before others take it for dead. */
  readonly durationSeconds: number;
}

/** What a write leaves in the object. */
export interface LeaseDraft {
  readonly holder: string;
  readonly transitions: number;
  readonly acquireTime: string;
  readonly renewTime: string;
  readonly durationSeconds: number;
}

/** `unanswered`: nobody knows whether it took effect. Answers that no further try would better are thrown instead. */
export type LeaseAnswer =
  | { readonly kind: "lease"; readonly lease: LeaseRecord }
  | { readonly kind: "absent" }
  | { readonly kind: "conflict" }
  | { readonly kind: "unanswered"; readonly cause: unknown };

/** Where one run's lease is kept; jobs/watch/lease-api.ts is the real one. */
export interface LeasePort {
  readonly get: (signal: AbortSignal) => Promise<LeaseAnswer>;
  /** `conflict` where it exists. */
  readonly create: (draft: LeaseDraft, signal: AbortSignal) => Promise<LeaseAnswer>;
  /** `conflict` unless the object is still as `over` says. */
  readonly replace: (over: LeaseRecord, draft: LeaseDraft, signal: AbortSignal) => Promise<LeaseAnswer>;
  /** `absent` when done; `conflict` unless the object is still as `over` says. */
  readonly remove: (over: LeaseRecord, signal: AbortSignal) => Promise<LeaseAnswer>;
}

/** This machine's clocks. */
export interface Clock {
  /** Milliseconds since some moment; never goes back, and goes on while the machine sleeps. */
  readonly monotonic: () => number;
  /** Milliseconds since 1970, which people and NTP set back and forth: for show only. */
  readonly wall: () => number;
  /** Ends early, without an error, when `signal` aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** All in milliseconds. */
export interface LeaseTiming {
  /** Whole seconds: others take a holder for dead that did not renew for so long. */
  readonly duration: number;
  /** From one renewal to the next. */
  readonly renew: number;
  /** From a renewal that was not answered to the next try. */
  readonly retry: number;
  /** One call gets so long, twice as long after one that was late. */
  readonly call: number;
  /** The holder gives up so long before others may take over. */
  readonly margin: number;
  /** From one look of who waits for the lease to the next. */
  readonly poll: number;
}

export const LEASE_TIMING: LeaseTiming = {
  duration: 30_000,
  renew: 10_000,
  retry: 2000,
  call: 5000,
  margin: 3000,
  poll: 2000,
};

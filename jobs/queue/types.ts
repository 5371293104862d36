/** A run that waits for a helper. */
export interface QueuedRun {
  readonly run: string;
  readonly tenant: string;
  /** Of its service level; higher ones go first. */
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** A further attempt waits until then. */
  readonly notBefore?: number | undefined;
}

/** A run that some helper works on. */
export interface RunningRun {
  readonly run: string;
  readonly tenant: string;
  /** Whether it is this helper's own. */
  readonly here: boolean;
}

/** What one tenant may have at a time, on all helpers together. */
export interface TenantLimits {
  readonly running: number;
  readonly queued: number;
  /** Its part of what is there, against the others' weights. */
  readonly weight: number;
}

export interface Limits {
  /** Runs at a time on this helper. */
  readonly helper: number;
  readonly tenant: TenantLimits;
  /** Tenants with limits of their own. */
  readonly tenants: Readonly<Record<string, Partial<TenantLimits>>>;
}

/** Of the machine that this helper is on, in MiB. */
export interface Memory {
  /** What the kernel says can be had (`MemAvailable`), or what is left of the container's limit. */
  readonly available: number;
  /** Never touched. */
  readonly reserve: number;
  /** What a run's engine takes once it has grown. */
  readonly perRun: number;
  /** Runs that were started so lately that `available` does not show them yet. */
  readonly starting: number;
}

/** Why a run is not started now. */
export type HeldBack = "not-before" | "tenant-limit" | "helper-limit" | "memory";

export interface Choice {
  /** In the order in which they are to be started. */
  readonly start: readonly QueuedRun[];
  readonly heldBack: readonly { readonly run: string; readonly because: HeldBack }[];
}

/** The limits of one tenant: its own where it has some. */
export const limitsOf = (limits: Limits, tenant: string): TenantLimits => ({
  ...limits.tenant,
  ...(Object.hasOwn(limits.tenants, tenant) ? limits.tenants[tenant] : undefined),
});

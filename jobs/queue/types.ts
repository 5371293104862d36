import { DEFAULT_TENANT_LIMITS, type TenantLimits } from "../../schema/service.ts";

/** A run that waits for a helper. */
export interface QueuedRun {
  readonly run: string;
  readonly tenant: string;
  /** Of its service class and within it, see rank.ts; higher ones go first. */
  readonly priority: number;
  /** Milliseconds since 1970. */
  readonly submittedAt: number;
  /** A further attempt waits until then. */
  readonly notBefore?: number | undefined;
}

export interface Limits {
  /** Runs at a time on this helper. */
  readonly helper: number;
  /** By tenant; those of which nothing is said have {@link DEFAULT_TENANT_LIMITS}. */
  readonly tenants: Readonly<Record<string, TenantLimits>>;
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
export const limitsOf = ({ tenants }: Limits, tenant: string): TenantLimits =>
  (Object.hasOwn(tenants, tenant) ? tenants[tenant] : undefined) ?? DEFAULT_TENANT_LIMITS;

import type { Leftovers } from "./leftovers.ts";

/** One part of the lab. */
export interface PartStatus {
  readonly name: string;
  /** Undefined for what is no process, such as the node's readiness. */
  readonly pid: number | undefined;
  readonly healthy: boolean;
  /** When its process was started, ISO 8601. */
  readonly since: string | undefined;
  /** What is wrong; undefined if healthy. */
  readonly problem: string | undefined;
  readonly log: string | undefined;
}

/** What `mayfly lab status` shows. */
export interface LabStatus {
  readonly kind: "kind" | "processes";
  /** `up`: all healthy. `degraded`: some are. `down`: nothing runs, nothing is left. `leftovers`: nothing runs, something is left. */
  readonly state: "up" | "degraded" | "down" | "leftovers";
  readonly parts: readonly PartStatus[];
  /** What a stopped lab left on the host; undefined while it runs. */
  readonly leftovers: Leftovers | undefined;
}

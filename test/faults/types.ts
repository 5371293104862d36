import type { Outcome } from "../../schema/outcome.ts";
import type { Scene } from "./scene.ts";

/** How a run may end under a fault. `refused`: nothing was made, and the ledger has no run. */
export type End = Outcome["kind"] | "refused";

/** One fault. */
export interface Fault {
  /** For the table and the filter: what happens, when. */
  readonly name: string;
  readonly group: "API server" | "processes" | "state" | "cluster" | "power cut";
  /** In `--quick`: one of each kind. */
  readonly quick?: boolean;
  /** Nothing else but the canary may run meanwhile. */
  readonly alone?: boolean;
  /** Of the job's driver; default 1. */
  readonly seconds?: number;
  /** Replaces fields of the job. */
  readonly job?: Readonly<Record<string, unknown>>;
  /** Does it. The suite then waits for the helper's end, recovers where that left the run unfinished, and checks. */
  readonly inject: (scene: Scene) => Promise<void>;
  /** Ends that are right. A fault that may hit a run at various points may have several. */
  readonly expect: readonly End[];
  /** Bound in seconds, from the start to the last check. */
  readonly within: number;
}

/** A fault that can't be tried here, and why. */
export interface Skipped {
  readonly name: string;
  readonly because: string;
}

import type { Cluster } from "../../jobs/watch/index.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Holder, Place } from "./place.ts";
import type { Helper } from "./processes.ts";

/** What a fault may use. */
export interface Scene {
  readonly place: Place;
  readonly cluster: Cluster;
  /** Starts the run by `mayfly run`. @param env On top of the place's. */
  readonly start: (env?: Readonly<Record<string, string>>) => Promise<Helper>;
  /** Starts another program of Mayfly's in the place. */
  readonly launch: (
    holder: Holder,
    program: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Helper;
  /** The job's file. */
  readonly job: () => Promise<string>;
  readonly namespace: () => string;
  /** Kills processes of the place at once, those whose command line has `part`; all where it is left out. @returns How many. */
  readonly kill: (part?: string) => Promise<number>;
  /** Brings the run to its end, as a person or a next helper does. Done by the suite too, where it is needed. */
  readonly recover: () => Promise<void>;
  /** Called after the helper's end and before the recovery: puts right again what the fault broke. */
  readonly afterwards: (undo: () => Promise<void>) => void;
  /** Something that must be so in this fault alone. */
  readonly require: (holds: boolean, otherwise: string) => void;
}

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

import type { LedgerRun } from "../../jobs/ledger/index.ts";
import type { Cluster } from "../../jobs/watch/index.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { PostgresServer } from "../ledger/postgres-server.ts";
import type { Holder, Place } from "./place.ts";
import type { Ended, Helper } from "./processes.ts";

type Env = Readonly<Record<string, string>>;

/** How a worker is started. */
export interface WorkerOptions {
  /** Default: one run at a time, until nothing is queued or at work. */
  readonly args?: readonly string[];
  readonly env?: Env;
  /** On a machine of that name, whose processes others don't see. */
  readonly machine?: string;
}

/** What a fault may use. */
export interface Scene {
  readonly place: Place;
  readonly cluster: Cluster;
  /** The server of a fault that has one of its own. */
  readonly postgres: () => PostgresServer;
  /** Starts the run by `mayfly run`. @param env On top of the place's. */
  readonly start: (env?: Env) => Promise<Helper>;
  /** Starts another program of Mayfly's in the place. */
  readonly launch: (holder: Holder, program: string, args: readonly string[], env?: Env) => Helper;
  /** Runs a command to its end. */
  readonly mayfly: (...args: readonly string[]) => Promise<Ended & { readonly said: string }>;
  /** Submits the job by `mayfly submit`. @returns The run's id. */
  readonly submit: (...args: readonly string[]) => Promise<string>;
  /** Starts `mayfly work`. */
  readonly worker: (holder: Holder, options?: WorkerOptions) => Helper;
  /** Settles when the ledger says so of the place's (only) run. */
  readonly until: (fits: (run: LedgerRun) => boolean) => Promise<LedgerRun>;
  /** Sends a signal to all processes of a holder: to the helper, its engine, Pulumi and the plugin. */
  readonly signal: (holder: Holder, name: NodeJS.Signals) => Promise<void>;
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

/** How a run may end under a fault. `not begun`: nothing was made, and the ledger has no run. */
export type End = Outcome["kind"] | "not begun";

/** One fault. */
export interface Fault {
  /** For the table and the filter: what happens, when. */
  readonly name: string;
  readonly group:
    | "API server"
    | "processes"
    | "workers"
    | "ledger"
    | "state"
    | "credentials"
    | "S3"
    | "cancel"
    | "cluster"
    | "power cut";
  /** In `--quick`: one of each kind. */
  readonly quick?: boolean;
  /** Nothing else but the canary may run meanwhile. */
  readonly alone?: boolean;
  /** Default: a SQLite file. `postgres`: a database of its own on one server for all; `own postgres`: a server that may be harmed. */
  readonly ledger?: "postgres" | "own postgres";
  /** How long a lease of this fault's helpers lasts, in seconds; default `LEASE_SECONDS`. */
  readonly leaseSeconds?: number;
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

import type { LedgerRun, Savepoint } from "../../jobs/ledger/index.ts";
import type { Cluster } from "../../jobs/watch/index.ts";
import type { Holder } from "../faults/place.ts";
import type { Ended, Helper } from "../faults/processes.ts";
import type { FlinkPlace, FlinkPlaceOptions } from "./place.ts";
import type { SpecChanges } from "./spec.ts";

/** How a command ended, and what it printed. */
export interface Told extends Ended {
  readonly said: string;
  readonly seconds: number;
}

/** A pod of the live run. */
export interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly role: string;
  readonly ip: string | undefined;
  readonly ready: boolean;
  /** Of its containers, together. */
  readonly restarts: number;
}

/** What a row may use: one stream, in a place of its own, which rows hand on to each other. */
export interface FlinkScene {
  readonly place: FlinkPlace;
  readonly cluster: Cluster;
  /** Of the stream. */
  readonly name: string;
  /** Writes a spec of the stream. @returns Its path. */
  readonly file: (changes?: SpecChanges) => Promise<string>;
  /** Runs a command to its end. */
  readonly mayfly: (...args: readonly string[]) => Promise<Told>;
  /** The same as another helper. */
  readonly as: (holder: Holder, ...args: readonly string[]) => Promise<Told>;
  /** Starts a command. */
  readonly launch: (
    holder: Holder,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ) => Helper;
  /** Kills all processes of a holder: the command, its engine, Pulumi, the plugin. */
  readonly kill: (holder: Holder) => Promise<void>;
  /** Starts a worker that looks after the stream. @returns Ends it, in an orderly way. */
  readonly worker: () => Promise<() => Promise<void>>;
  readonly runs: () => Promise<LedgerRun[]>;
  readonly savepoints: () => Promise<readonly Savepoint[]>;
  /** The live run. @throws Where there is none. */
  readonly live: () => Promise<LedgerRun>;
  readonly pods: () => Promise<Pod[]>;
  /** Runs a line of shell in a container of the run. */
  readonly inPod: (pod: string, line: string) => Promise<void>;
  /** Settles once the fitting state is seen; throws after `seconds`. */
  readonly until: <T>(what: string, seconds: number, look: () => Promise<T | undefined>) => Promise<T>;
  /** Settles once the stream has committed more than it had when this was called. @returns After how many seconds. */
  readonly grows: (seconds?: number) => Promise<number>;
  /** Brings the stream to where it runs: started, or resumed. */
  readonly running: () => Promise<LedgerRun>;
  readonly suspended: () => Promise<LedgerRun>;
  /** Done after the row, whatever became of it: puts right again what the row broke. */
  readonly afterwards: (undo: () => Promise<void>) => void;
  /** Something that must be so in this row alone. */
  readonly require: (holds: boolean, otherwise: string) => void;
  /** The same of a command's exit code. */
  readonly code: (told: Told, wanted: number | readonly number[]) => void;
}

/** One fault, or one promise. */
export interface FlinkRow {
  /** For the command line: `npm run test:flink -- suspend-s3-down`. */
  readonly slug: string;
  readonly title: string;
  /** Where the stream is to be when the row begins. */
  readonly needs: "running" | "suspended" | "nothing";
  /** Bound in seconds for all that the row does. */
  readonly within: number;
  readonly play: (scene: FlinkScene) => Promise<void>;
}

/** Rows that share a stream, in order. */
export interface Chapter {
  readonly name: string;
  readonly place?: FlinkPlaceOptions;
  /** Of the stream's spec, on top of the usual. */
  readonly spec?: SpecChanges;
  /** Changes the lab for all: nothing else of the suite may run meanwhile. */
  readonly alone?: boolean;
  readonly rows: readonly FlinkRow[];
}

import type { ProcessEngine } from "../engine/index.ts";
import type { ClaimedRun, Ledger } from "../ledger/index.ts";
import type { Limits, Memory } from "../queue/index.ts";
import type { Driver } from "./driver.ts";
import type { Engines } from "./engines.ts";
import type { Orphans } from "./orphans.ts";
import type { DriverEnd } from "./types.ts";

/**
 * `serve`: until stopped; `drain`: until nothing is queued or at work; `once`: what is due now; `resume`: only what has lost its helper. A
 * stream has no end to wait for: where it is healthy, and nothing is asked of it, all but `serve` leave it.
 */
export type WorkMode = "serve" | "drain" | "once" | "resume";

/** What a worker tells beside the runs' own events. */
export type WorkerNote =
  | { readonly type: "claimed" | "recovering"; readonly run: string }
  | { readonly type: "left"; readonly run: string; readonly end: DriverEnd }
  /** Runs wait, and none is taken though none is at work here. */
  | { readonly type: "held-back"; readonly because: "memory"; readonly queued: number }
  | { readonly type: "trouble"; readonly message: string };

/** What a worker needs of a driver. */
export type Driving = Pick<Driver, "done" | "cancel" | "heed" | "resting" | "handOver">;

/** `E`: what a run is worked on with, one each. */
export interface WorkerTools<E = ProcessEngine> {
  readonly ledger: Pick<Ledger, "load" | "heads" | "claim" | "wished" | "list" | "get">;
  /** Name of the environment whose runs are taken. */
  readonly environment: string;
  readonly engines: Pick<Engines, "warm"> & {
    readonly take: () => E;
    readonly giveBack: (engine: E) => void;
  };
  /** Works on a run with an engine of its own. @throws UserError `run-unreadable` */
  readonly drive: (run: ClaimedRun, engine: E) => Driving;
  readonly orphans: Pick<Orphans, "find">;
  readonly limits: Limits;
  readonly memory: (starting: number) => Memory;
  /** Forgets what ended long ago; asked at the start, and each hour. */
  readonly prune: () => Promise<void>;
  /** This worker's name in the ledger. */
  readonly holder: string;
  readonly onNote: (note: WorkerNote) => void;
  /** After each look around; `worked`: the ledger answered. */
  readonly onTurn?: (worked: boolean) => void;
  /** Milliseconds between two looks around; 500 where left out. */
  readonly tickMs?: number;
}

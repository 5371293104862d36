import type { RunEvent } from "../../schema/events.ts";
import type { ClaimedRun, Ledger } from "../ledger/index.ts";
import type { Limits, Memory } from "../queue/index.ts";
import type { Driver } from "./driver.ts";
import type { Engines } from "./engines.ts";
import type { Orphans } from "./orphans.ts";
import type { Place } from "./place.ts";
import type { DriverEnd, DriverTools } from "./types.ts";

/** `serve`: until stopped; `drain`: until nothing is queued or at work; `once`: what is due now; `resume`: only what has lost its helper. */
export type WorkMode = "serve" | "drain" | "once" | "resume";

/** What a worker tells beside the runs' own events. */
export type WorkerNote =
  | { readonly type: "claimed" | "recovering"; readonly run: string }
  | { readonly type: "left"; readonly run: string; readonly end: DriverEnd }
  /** Runs wait, and none is taken though none is at work here. */
  | { readonly type: "held-back"; readonly because: "memory"; readonly queued: number }
  | { readonly type: "trouble"; readonly message: string };

export interface WorkerTools {
  readonly ledger: Pick<Ledger, "load" | "heads" | "claim" | "wished" | "list" | "get"> &
    DriverTools["ledger"];
  readonly place: Pick<Place, "environment" | "cluster" | "store" | "acquire" | "raiseFence">;
  readonly engines: Pick<Engines, "take" | "giveBack" | "warm">;
  readonly orphans: Pick<Orphans, "find">;
  readonly limits: Limits;
  readonly memory: (starting: number) => Memory;
  /** Forgets what ended long ago; asked at the start, and each hour. */
  readonly prune: () => Promise<void>;
  /** This worker's name in the ledger. */
  readonly holder: string;
  readonly onEvent: (event: RunEvent) => void;
  readonly onNote: (note: WorkerNote) => void;
  /** After each look around; `worked`: the ledger answered. */
  readonly onTurn?: (worked: boolean) => void;
  /** Works on a run; a {@link Driver} where left out. @throws UserError `run-unreadable` */
  readonly drive?: (run: ClaimedRun, tools: DriverTools) => Driving;
}

/** What a worker needs of a driver. */
export type Driving = Pick<Driver, "done" | "cancel" | "handOver">;

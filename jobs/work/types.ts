import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import type { ProcessEngine } from "../engine/index.ts";
import type { Lease } from "../lease/index.ts";
import type { Ledger, LedgerRun, RunPatch, Wish } from "../ledger/index.ts";
import type { RunCluster } from "../run/cluster.ts";
import type { Environment } from "../run/environment.ts";
import type { Journal } from "../run/journal.ts";
import type { MachineEvent, RunState } from "../run/machine.ts";
import type { ObjectStore } from "../store/index.ts";
import type { ObservedRun } from "../watch/index.ts";

/** What a driver needs of a lease. */
export type HeldLease = Pick<Lease, "fence" | "holder" | "remade" | "lost" | "guard" | "release">;

export interface AcquireRequest {
  /** `holder`: who had it, by the ledger. */
  readonly run: Pick<LedgerRun, "run" | "tenant" | "job" | "environment" | "holder">;
  readonly knownFence: number;
  /** Names that this helper had on leases of the run which it has lost: it does nothing under them any more. */
  readonly former: ReadonlySet<string>;
  /** Ends the wait for another holder. */
  readonly signal: AbortSignal;
  readonly onWaiting: (holder: string) => void;
}

/** What a driver is there for, where that is not to bring a run to its natural end. */
export type Purpose =
  /** Somebody waits for this one run. `follow`: and reads the driver's log; `policy`: the policy pack judges what is made. */
  | { readonly kind: "foreground"; readonly follow: boolean; readonly policy: boolean }
  /** The run is to go. */
  | { readonly kind: "removal" };

/** All the outside that a driver works with. */
export interface DriverTools {
  readonly ledger: Pick<
    Ledger,
    | "update"
    | "append"
    | "noteLease"
    | "events"
    | "forget"
    | "recordSavepoint"
    | "savepoints"
    | "savepointDeleted"
  >;
  readonly purpose?: Purpose | undefined;
  readonly environment: Environment;
  readonly engine: ProcessEngine;
  readonly cluster: RunCluster;
  readonly store: ObjectStore;
  /** @throws UserError */
  readonly acquire: (request: AcquireRequest) => Promise<HeldLease>;
  /** Raises the fence of a run's namespace, where it is there. */
  readonly raiseFence: (plan: Plan, fence: number) => Promise<void>;
  /** This worker's name in the ledger. */
  readonly holder: string;
  readonly onEvent: (event: RunEvent) => void;
}

/** Why a driver stopped: the run is over, or waits for whoever takes it next. */
export type DriverEnd = "ended" | "retry" | "handed-over" | "not-ours";

/** A run at work, as its effects know it. */
export interface Driven {
  readonly run: LedgerRun;
  readonly tools: DriverTools;
  readonly state: RunState;
  readonly plan: Plan | undefined;
  /** As it is now: a stream may get another size. */
  readonly spec: JobSpec | undefined;
  /** What is asked of it and not answered yet. */
  readonly wish: Wish | undefined;
  readonly journal: Journal | undefined;
  /** When a helper first took it up. */
  readonly startedAt: Date;
  /** Milliseconds since 1970 that never go back. */
  readonly clock: () => number;
  lease: HeldLease | undefined;
  observed: ObservedRun | undefined;
  readonly send: (event: MachineEvent) => void;
  readonly warn: (message: string) => void;
  /** The lease is lost: stop at once, then say so to the machine. */
  readonly lost: (lease: HeldLease) => void;
  readonly patch: (patch: RunPatch) => Promise<void>;
  /** The attempt has another plan from now on, and its run another spec. */
  readonly become: (plan: Plan, spec?: JobSpec) => Promise<void>;
  /** Records an attempt from now on, and tells of it. */
  readonly adopt: (plan: Plan) => Promise<void>;
}

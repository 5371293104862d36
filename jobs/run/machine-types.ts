import type { Outcome } from "../../schema/outcome.ts";
import type { DeadlineName } from "./machine-deadlines.ts";
import type { RetryBudget } from "./phases.ts";

/** For whom a run is worked on. */
export type Mode =
  /** For whoever called, and waits: one helper has it from start to end, its further attempts too. */
  | { readonly kind: "foreground"; readonly keep: boolean }
  /** From the queue: any worker goes on where another one stopped. */
  | { readonly kind: "detached" }
  /** Only its end is wanted: someone has told it to go, or the helper of a foreground run died. */
  | { readonly kind: "removal" };

/** How memory grows from one attempt to the next. */
export interface MemoryFacts {
  /** What an attempt gets times more than the one before that ran out of it; 1 for no more. */
  readonly factor: number;
  /** Attempts in which the driver ran out of memory, and those in which a worker did. */
  readonly driver: number;
  readonly workers: number;
}

/** What is true of a run in any phase. All of a state is plain data, to be stored as JSON. */
export interface RunFacts {
  readonly run: string;
  readonly budget: RetryBudget;
  readonly mode: Mode;
  readonly memory: MemoryFacts;
  readonly attempt: number;
  /** How earlier attempts ended, in order. */
  readonly failed: readonly Outcome["kind"][];
  /** The highest fence that this run's lease had; 0 before the first. */
  readonly fence: number;
  readonly cancelRequested: boolean;
  /** Its own deadline has passed: no further attempt. */
  readonly overdue: boolean;
}

interface Of<P extends string> {
  readonly phase: P;
  readonly facts: RunFacts;
}

/** Whoever is in such a phase holds the lease with this fence. */
interface Held<P extends string> extends Of<P> {
  readonly lease: number;
}

export type New = Of<"new">;
/** `asked`: a helper is taking the lease. */
export type Queued = Of<"queued"> & { readonly asked: boolean };
/** A foreground run between two attempts: nothing of it exists, and its helper keeps the lease. */
export type Waiting = Held<"waiting">;
export type Planning = Held<"planning">;
/** `stack`: its stack is being made; `objects`: so are its objects; `made`: those exist. */
export type Creating = Held<"creating"> & { readonly step: "stack" | "objects" | "made" };
export type Running = Held<"running">;
/** A running stream that is being stopped with a savepoint, which is asked for under the name `trigger`: twice is once. */
export type Suspending = Held<"suspending"> & { readonly trigger: string };
export type Finishing = Held<"finishing"> & { readonly outcome: Outcome };
export type Destroying = Held<"destroying"> & {
  readonly outcome: Outcome;
  readonly step: "objects" | "stack";
  readonly tries: number;
};
/** What an interrupted run was at, and its outcome if it has one already. */
export interface Interrupted {
  readonly was: "planning" | "creating" | "running" | "suspending" | "finishing" | "destroying";
  readonly outcome: Outcome | undefined;
  /** Of a run that was being suspended. */
  readonly trigger?: string;
}
/** Nobody known to us works on it, though something of it may exist. */
export type Adrift = Of<"adrift"> & Interrupted & { readonly asked: boolean };
/** A new holder puts stack, state and cluster in order. */
export type Recovering = Held<"recovering"> & Interrupted & { readonly tries: number };
export type Kept = Of<"kept"> & { readonly outcome: Outcome };
export type Terminal = Of<"succeeded" | "suspended" | "failed" | "cancelled" | "lost"> & {
  readonly outcome: Outcome;
  /** What could not be removed. */
  readonly left: readonly string[];
};

/** A foreground run that could not begin: its caller is told, and it is forgotten. */
export type Refused = Of<"refused"> & { readonly outcome: Outcome };

export type HeldState =
  | Waiting
  | Planning
  | Creating
  | Running
  | Suspending
  | Finishing
  | Destroying
  | Recovering;
export type RunState = New | Queued | HeldState | Adrift | Kept | Terminal | Refused;
export type RunPhase = RunState["phase"];

/** What answers a holder's effect carries the fence of when it began: what comes late, from an attempt or a lease before, is told by it. */
interface Answer<T extends string> {
  readonly type: T;
  readonly fence: number;
}

export type MachineEvent =
  | { readonly type: "submitted" }
  /** A helper wants to work on it. */
  | { readonly type: "claimed" }
  | { readonly type: "retryDue"; readonly attempt: number }
  | { readonly type: "cancelRequested" }
  /** Somebody wants a stream's state saved, and its run ended. */
  | { readonly type: "suspendRequested"; readonly trigger: string }
  /** Someone wants what is there removed: of a kept run, one that nobody works on, or one that left something behind. */
  | { readonly type: "removalRequested" }
  /** A helper found it in the ledger, and no helper of this process works on it. */
  | { readonly type: "helperRestarted" }
  | { readonly type: "leaseRefused" }
  | Answer<"leaseAcquired">
  | Answer<"leaseLost">
  | Answer<"planned">
  /** An attempt could not begin, and nothing of it is left. */
  | (Answer<"refused"> & { readonly outcome: Outcome })
  | Answer<"stackCreated">
  | Answer<"objectsExist">
  | Answer<"driverStarted">
  | (Answer<"verdict"> & { readonly outcome: Outcome })
  /** It has run for so long that earlier failures count no more. */
  | Answer<"steady">
  /** The stream has stopped; its state is in the ledger's list of savepoints. */
  | (Answer<"savepointTaken"> & { readonly savepoint: string })
  | Answer<"recovered">
  | Answer<"logsSaved">
  | (Answer<"destroyed"> & { readonly left: readonly string[] })
  | Answer<"stackRemoved">
  | (Answer<"failed"> & {
      readonly step: "plan" | "createStack" | "up" | "watch";
      readonly outcome: Outcome;
    })
  | (Answer<"failed"> & {
      readonly step: "suspend" | "recover" | "saveLogs" | "destroy" | "removeStack";
      readonly message: string;
    })
  | (Answer<"deadline"> & { readonly name: DeadlineName; readonly limitSeconds: number });
export type EventType = MachineEvent["type"];

/** What the helper does, in order, once the new state is in the ledger. */
export type Effect =
  | { readonly type: "acquireLease"; readonly knownFence: number }
  /** `memory`: how many times more memory driver and workers get than the job's spec says. */
  | {
      readonly type: "plan";
      readonly attempt: number;
      readonly memory: { readonly driver: number; readonly workers: number };
    }
  /** That it exists already is no failure. */
  | { readonly type: "createStack" }
  | { readonly type: "up" }
  /** Nothing to do where it is watched already. */
  | { readonly type: "watch" }
  /** Stops a stream with a savepoint. */
  | { readonly type: "suspend"; readonly trigger: string }
  /** Says that it could not be suspended, and why; it goes on. */
  | { readonly type: "notSuspended"; readonly trigger: string; readonly message: string }
  /** Ends what other effects of this run still do, and waits until they have. */
  | { readonly type: "stop" }
  /** Raises the namespace's fence, frees the stack's lock, clears pending creates, removes what the state does not know. */
  | { readonly type: "recover"; readonly afterMs: number }
  | { readonly type: "saveLogs" }
  | { readonly type: "destroy"; readonly afterMs: number }
  | { readonly type: "removeStack"; readonly afterMs: number }
  | { readonly type: "releaseLease"; readonly fence: number; readonly remove: boolean }
  | { readonly type: "scheduleRetry"; readonly attempt: number; readonly afterMs: number }
  | { readonly type: "report"; readonly final: boolean }
  /** Nothing was made: there is nothing to remember. */
  | { readonly type: "forget" };

export interface Step {
  readonly state: RunState;
  readonly effects: readonly Effect[];
}

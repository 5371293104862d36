// What the helper and its engine process say to each other over IPC: plain data, one union each way.
import type { Plan } from "../../schema/plan.ts";
import type { EngineError } from "./errors.ts";
import type { EngineEvent, StackSummary } from "./types.ts";

/** Environment variable by which the engine's process learns where it may work. */
export const WORK_FOLDER = "MAYFLY_ENGINE_WORK";

/** Operations and what they need. */
export type Operation =
  | {
      readonly name: "up";
      readonly plan: Plan;
      readonly policy: boolean;
      readonly fence: number | undefined;
    }
  | { readonly name: "preview"; readonly plan: Plan; readonly policy: boolean }
  | { readonly name: "destroy"; readonly stack: string }
  | { readonly name: "unlock"; readonly stack: string }
  | { readonly name: "list" };

export type ToWorker =
  | { readonly type: "start"; readonly id: number; readonly operation: Operation }
  | { readonly type: "interrupt"; readonly id: number };

/** What an operation gives back. */
export type OperationResult =
  | { readonly kind: "nothing" }
  | { readonly kind: "stacks"; readonly stacks: readonly StackSummary[] };

export type FromWorker =
  | { readonly type: "event"; readonly id: number; readonly event: EngineEvent }
  | { readonly type: "done"; readonly id: number; readonly result: OperationResult }
  | { readonly type: "failed"; readonly id: number; readonly error: EngineError };

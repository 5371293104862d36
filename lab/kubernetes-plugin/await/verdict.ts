import { isRecord, type Json, listAt, numberAt, textAt } from "../json.ts";

/** What an object's readiness can be judged by, beside the object itself. */
export interface Related {
  /** EndpointSlices of a Service. */
  readonly endpointSlices?: readonly Json[];
  /** `volumeBindingMode` of a claim's StorageClass. */
  readonly bindingMode?: string | undefined;
}

/** How far an object is. */
export type Verdict =
  | { readonly state: "ready" }
  /** Worth waiting for; `reason` says what is missing. */
  | { readonly state: "pending"; readonly reason: string }
  /** Never going to be ready by itself. */
  | { readonly state: "failed"; readonly reason: string };

/** Judges an object by what the server said last. Pure. */
export type Judge = (object: Json, related: Related) => Verdict;

export const READY: Verdict = { state: "ready" };
export const pending = (reason: string): Verdict => ({ state: "pending", reason });
export const failed = (reason: string): Verdict => ({ state: "failed", reason });

/** One of an object's `status.conditions`. */
export interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

export function conditionOf(object: Json, type: string): Condition | undefined {
  const found = listAt(object, "status", "conditions").find((item) => textAt(item, "type") === type);
  if (!isRecord(found)) return undefined;
  return {
    status: textAt(found, "status") ?? "",
    reason: textAt(found, "reason") ?? "",
    message: textAt(found, "message") ?? "",
  };
}

/** `[Reason] message`, as far as the condition has them. */
export function explain(condition: Condition): string {
  if (condition.reason === "") return condition.message;
  return condition.message === "" ? `[${condition.reason}]` : `[${condition.reason}] ${condition.message}`;
}

/** Whether the controller has seen the newest spec: before that its status speaks of the one before. */
export const isObserved = (object: Json): boolean =>
  numberAt(object, ["status", "observedGeneration"]) >= numberAt(object, ["metadata", "generation"], 1);

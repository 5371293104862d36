import { createHash } from "node:crypto";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { FlinkRest, SavepointOptions, SavepointResult } from "./types.ts";

/** Flink's form of an id for asking: the same text gives the same 32 hexadecimal digits. */
export const triggerId = (id: string): string => createHash("sha256").update(id).digest("hex").slice(0, 32);

/** Ends the job with a savepoint. @throws the signal's reason */
export async function stopWithSavepoint(
  _rest: FlinkRest,
  _plan: FlinkPlan,
  _options: SavepointOptions,
): Promise<SavepointResult> {
  await Promise.resolve();
  throw new Error("not built yet");
}

/** Makes a savepoint; the job goes on. @throws the signal's reason */
export async function takeSavepoint(
  _rest: FlinkRest,
  _plan: FlinkPlan,
  _options: SavepointOptions,
): Promise<SavepointResult> {
  await Promise.resolve();
  throw new Error("not built yet");
}

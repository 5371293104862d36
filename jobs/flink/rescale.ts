import type { FlinkRest, RescaleResult } from "./types.ts";

/** Has a live job run with another parallelism, in place; waits until all tasks run with it. @throws the signal's reason */
export async function rescaleJob(
  _rest: FlinkRest,
  _parallelism: number,
  _options: {
    readonly signal: AbortSignal;
    readonly timeoutMs: number;
    readonly onWarning?: (message: string) => void;
  },
): Promise<RescaleResult> {
  await Promise.resolve();
  throw new Error("not built yet");
}

import type { Outcome } from "../../schema/outcome.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import type { FlinkRest, StreamWatchOptions } from "./types.ts";

/**
 * Watches a stream by its REST until its job ends. What it can't say (nobody answers, the job is not there yet) is no verdict: pods
 * are watched beside it.
 * @returns undefined when `signal` ended the watch
 */
export async function watchStream(
  _rest: FlinkRest,
  _plan: FlinkPlan,
  _options: StreamWatchOptions,
): Promise<Outcome | undefined> {
  await Promise.resolve();
  throw new Error("not built yet");
}

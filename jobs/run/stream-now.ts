// How a live stream does, asked of Flink itself where its cluster can be reached.
import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { FlinkPlan } from "../../schema/plan.ts";
import { FlinkRestError, type StreamSample } from "../flink/types.ts";
import type { Ledger, LedgerRun } from "../ledger/index.ts";
import { originOf } from "../report/build.ts";
import { lastTold, streamReport } from "../report/stream.ts";
import { checkpointing, savepointsOf } from "../work/stream-report.ts";
import { streamOf } from "../work/streams.ts";
import type { RunCluster } from "./cluster.ts";
import { openRecorded } from "./inspect.ts";
import type { EnvironmentOptions, StreamNow } from "./types.ts";

/** All looks at Flink together. */
const ASK_MS = 8000;

/**
 * Undefined for a job that ends by itself, and for a stream that is not live.
 * @param events The run's: what helpers were told is in them.
 */
export async function streamNow(
  record: LedgerRun,
  events: readonly RunEvent[],
  ledger: Pick<Ledger, "savepoints">,
  options: EnvironmentOptions,
): Promise<StreamNow | undefined> {
  const plan = streamOf(record.plan);
  if (plan === undefined || !LIVE.has(record.state)) return undefined;
  const asked = await ask(record, plan, options);
  const facts = {
    savepoints: await savepointsOf(ledger, record.run),
    startedFrom: originOf(plan),
    before: lastTold(events, plan.attempt),
    checkpointing: checkpointing(record.spec),
  };
  if (typeof asked !== "string") return { stream: streamReport([asked], facts), live: true };
  return { stream: streamReport([], facts), live: false, reason: asked };
}

/** States in which its cluster may be there. */
const LIVE = new Set<LedgerRun["state"]>(["creating", "running", "finishing", "kept"]);

/** One look at it, or why there is none. */
async function ask(
  record: LedgerRun,
  plan: FlinkPlan,
  options: EnvironmentOptions,
): Promise<StreamSample | string> {
  let cluster: RunCluster | undefined;
  try {
    cluster = await openRecorded(record, options);
    await cluster.check();
    const { StreamSampler } = await import("../flink/sampler.ts");
    const rest = await cluster.flink(plan);
    try {
      const call = { signal: AbortSignal.timeout(ASK_MS) };
      const taken = await new StreamSampler(rest).take(await rest.job(call), call);
      return taken?.sample ?? "Flink does not answer now.";
    } finally {
      rest.close();
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError")
      return `Flink did not answer within ${ASK_MS / 1000} s.`;
    if (error instanceof UserError || error instanceof FlinkRestError) return error.message;
    throw error;
  } finally {
    cluster?.close();
  }
}

import { createHash } from "node:crypto";
import type { FlinkPlan } from "../../schema/plan.ts";
import { pause } from "./pause.ts";
import {
  type SavepointAnswer,
  type SavepointProgress,
  savepointNext,
  savepointStart,
} from "./savepoint-machine.ts";
import { type FlinkRest, FlinkRestError, type SavepointOptions, type SavepointResult } from "./types.ts";

/**
 * Flink's form of an id for asking: the same text gives the same 32 hexadecimal digits.
 * @param order Counts from 0: a failed order is not carried out again, so that a further one needs an id of its own.
 */
export const triggerId = (id: string, order = 0): string =>
  createHash("sha256")
    .update(order === 0 ? id : `${id}/${order}`)
    .digest("hex")
    .slice(0, 32);

/**
 * How a version writes savepoints. 2.x: NATIVE, since its state backends refuse CANONICAL (UnsupportedOperationException, seen with
 * 2.1 and 2.3). 1.x: CANONICAL, which may be read with another state backend than the one that wrote it; Flink's default.
 * https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/state/checkpoints_vs_savepoints/
 */
export const savepointFormat = ({ version }: Pick<FlinkPlan, "version">): "NATIVE" | "CANONICAL" =>
  /^[01]\./.test(version) ? "CANONICAL" : "NATIVE";

/**
 * Ends the job with a savepoint. It never drains. Asked again with the same trigger it goes on where it was left.
 * @throws the signal's reason; a UserError of `finished` where S3 can't be asked
 */
export const stopWithSavepoint = async (
  rest: FlinkRest,
  plan: FlinkPlan,
  options: SavepointOptions,
): Promise<SavepointResult> => await order(rest, plan, options, true);

/** Makes a savepoint; the job goes on. @throws the signal's reason */
export const takeSavepoint = async (
  rest: FlinkRest,
  plan: FlinkPlan,
  options: SavepointOptions,
): Promise<SavepointResult> => await order(rest, plan, options, false);

/** Pauses between questions, in milliseconds: a small savepoint takes under a second. */
const PAUSES = [100, 150, 250, 400, 600, 1000] as const;

async function order(
  rest: FlinkRest,
  plan: FlinkPlan,
  options: SavepointOptions,
  stop: boolean,
): Promise<SavepointResult> {
  if (plan.state === undefined) throw new Error("a batch job has no savepoints");
  const { savepoints: folder } = plan.state;
  const format = savepointFormat(plan);
  const end = performance.now() + options.timeoutMs;
  let progress = savepointStart(stop);
  let told: string | undefined;
  for (let round = 0; ; round++) {
    if (progress.step.do === "end") return progress.step.result;
    const left = end - performance.now();
    if (left <= 0) {
      progress = savepointNext(progress, { type: "late", seconds: Math.round(options.timeoutMs / 1000) });
      continue;
    }
    const before = progress.step.do;
    const order = { trigger: triggerId(options.trigger, progress.order), folder, format };
    const answer = await carryOut(rest, progress, order, options, Math.min(10_000, Math.max(1000, left)));
    progress = savepointNext(progress, answer.answer);
    if (answer.away !== undefined && answer.away !== told) {
      told = answer.away;
      options.onWarning?.(`${told}; the savepoint is asked for again.`);
    }
    // From "ask" to "poll" at once; who asked the same thing again waits.
    if (progress.step.do === before || progress.step.do === "poll") {
      const ms = options.pollMs ?? PAUSES[Math.min(round, PAUSES.length - 1)] ?? 1000;
      await pause(Math.min(ms, Math.max(1, end - performance.now())), options.signal);
    }
  }
}

async function carryOut(
  rest: FlinkRest,
  { step, stop }: SavepointProgress,
  order: Parameters<FlinkRest["stop"]>[0],
  { signal, finished }: SavepointOptions,
  timeoutMs: number,
): Promise<{ readonly answer: SavepointAnswer; readonly away?: string }> {
  const call = { signal, timeoutMs };
  try {
    switch (step.do) {
      case "ask":
        await (stop ? rest.stop(order, call) : rest.savepoint(order, call));
        return { answer: { type: "asked" } };
      case "poll":
        return { answer: { type: "trigger", state: await rest.trigger(order.trigger, call) } };
      case "look":
        return { answer: { type: "job", state: (await rest.job(call)).state } };
      case "find":
        return { answer: { type: "found", location: await finished?.() } };
      case "end":
        throw new Error("a savepoint that has ended has no next step");
    }
  } catch (error) {
    signal.throwIfAborted();
    // S3, asked for what a finished job left.
    if (!(error instanceof FlinkRestError)) throw error;
    if (error.status === 401 || error.status === 403) {
      return { answer: { type: "denied", message: error.message } };
    }
    // A JobManager that is too busy to answer says 500: that speaks neither for a savepoint nor against one.
    if (error.kind === "away" || (step.do !== "ask" && (error.status ?? 0) >= 500))
      return { answer: { type: "away" }, away: error.message };
    if (error.kind === "not-found") return { answer: { type: "job", state: undefined } };
    return { answer: { type: "refused", message: error.message } };
  }
}

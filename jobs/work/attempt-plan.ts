// Plans of attempts; a stream's go on from what the ones before have left.
import type { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import type { MemoryScale } from "../plan/index.ts";
import { planAttempt } from "../run/prepare.ts";
import { streamOf, streamSpec } from "./streams.ts";
import type { Driven } from "./types.ts";

type Planned = Pick<Driven, "run" | "spec" | "tools" | "warn" | "clock" | "state">;

/** @throws UserError where the environment refuses it; Error where something was away */
export async function planOf(driven: Planned, attempt: number, memory: MemoryScale): Promise<Plan> {
  const plan = await asSubmitted(driven, attempt, memory);
  return attempt === 1 ? plan : ((await goingOn(driven, plan, memory)) ?? plan);
}

/** The plan of a half-made attempt that is made again: it may have worked already. Undefined where it stays as it was. */
export async function planAgain(
  driven: Planned,
  attempt: number,
  memory: MemoryScale,
): Promise<Plan | undefined> {
  return await goingOn(driven, await asSubmitted(driven, attempt, memory), memory);
}

async function asSubmitted(driven: Planned, attempt: number, memory: MemoryScale): Promise<Plan> {
  const { run, tools } = driven;
  const identity = { run: run.run, attempt };
  return (await planAttempt(specOf(driven), tools.environment.contract, identity, memory)).plan;
}

async function goingOn(driven: Planned, plan: Plan, memory: MemoryScale): Promise<Plan | undefined> {
  const stream = streamOf(plan);
  if (stream === undefined) return undefined;
  const { restoreOf } = await import("./stream-state.ts");
  const restore = await restoreOf(driven, stream);
  if (restore === undefined) return undefined;
  const { run, attempt } = plan;
  const { contract } = driven.tools.environment;
  return (await planAttempt(specOf(driven), contract, { run, attempt, restore }, memory)).plan;
}

function specOf({ spec }: Planned): JobSpec {
  if (spec === undefined) throw new Error("the ledger has no spec of it");
  return spec;
}

/** Checkpoints of a run that is over go; but for a run that failed, and one whose checkpoint the ledger names as state to go on from. */
export async function forgetState({ state, spec, tools, warn }: Planned, plan: Plan): Promise<void> {
  const stream = streamOf(plan);
  if (stream === undefined || state.phase !== "destroying") return;
  const { outcome } = state;
  if (outcome.kind !== "suspended" && outcome.kind !== "cancelled") return;
  const { sweep } = await import("./stream-state.ts");
  const from = outcome.kind === "suspended" ? streamSpec(spec)?.from?.savepoint : undefined;
  await sweep(tools, stream, warn, from);
}

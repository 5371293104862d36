import { randomBytes } from "node:crypto";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan, Restore } from "../../schema/plan.ts";
import type { MemoryScale } from "../plan/index.ts";
import type { Environment } from "./environment.ts";

/** @throws UserError where a file can't be read or is not a valid spec. */
export async function readSpec(job: JobSpec | string): Promise<JobSpec> {
  if (typeof job !== "string") return job;
  const { loadSpec } = await import("../spec/index.ts");
  return await loadSpec(job);
}

/** A plan, with remarks for people. */
export interface PlanWithNotes {
  readonly plan: Plan;
  readonly notes: readonly string[];
}

const AS_ASKED: MemoryScale = { driver: 1, workers: 1 };

/** Plans one attempt, with more memory than the spec says where `scale` says so and there is room. @throws UserError where the job can't be placed or does not fit. */
export async function planAttempt(
  spec: JobSpec,
  contract: Environment["contract"],
  identity: { readonly run: string; readonly attempt: number; readonly restore?: Restore | undefined },
  scale: MemoryScale = AS_ASKED,
): Promise<PlanWithNotes> {
  const { planLarger, planRun, refusalError } = await import("../plan/index.ts");
  const asAsked = scale.driver === 1 && scale.workers === 1;
  const result = asAsked ? planRun(spec, contract, identity) : planLarger(spec, contract, identity, scale);
  if (!result.ok) throw refusalError(result.refusal);
  return result;
}

/** A new run's id. */
export async function newRunId(spec: JobSpec): Promise<string> {
  const { runId } = await import("../plan/index.ts");
  return runId(spec.name, Date.now(), randomBytes(5));
}

import { randomBytes } from "node:crypto";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
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

/** Plans one attempt. @throws UserError where the job can't be placed or does not fit. */
export async function planAttempt(
  spec: JobSpec,
  contract: Environment["contract"],
  identity: { readonly run: string; readonly attempt: number },
): Promise<PlanWithNotes> {
  const { planRun, refusalError } = await import("../plan/index.ts");
  const result = planRun(spec, contract, identity);
  if (!result.ok) throw refusalError(result.refusal);
  return result;
}

/** A new run's id. */
export async function newRunId(spec: JobSpec): Promise<string> {
  const { runId } = await import("../plan/index.ts");
  return runId(spec.name, Date.now(), randomBytes(5));
}

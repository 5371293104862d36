import type { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import { EngineFailure, type PolicyViolation, type StackEngine, startEngine } from "../engine/index.ts";
import { findConnection, pluginRemarks, readConnection, readContract } from "./environment.ts";
import { engineUserError } from "./preflight.ts";
import { newRunId, type PlanWithNotes, planAttempt, readSpec } from "./prepare.ts";
import type { EnvironmentOptions, JobPreview, PolicyResult, PreviewRow, RunOptions } from "./types.ts";

type PreviewOptions = EnvironmentOptions & Pick<RunOptions, "runId" | "signal" | "policy">;

/** See index.ts. */
export async function planJob(
  job: JobSpec | string,
  options: EnvironmentOptions & Pick<RunOptions, "runId"> = {},
): Promise<PlanWithNotes> {
  const spec = await readSpec(job);
  const connection = await readConnection(await findConnection(options.connection));
  const contract = await readContract(connection.contract);
  const run = options.runId ?? (await newRunId(spec));
  return await planAttempt(spec, contract, { run, attempt: 1 });
}

/** See index.ts. */
export async function previewJob(job: JobSpec | string, options: PreviewOptions = {}): Promise<JobPreview> {
  const connection = await readConnection(await findConnection(options.connection));
  const engine = startEngine(connection);
  try {
    const { plan } = await planJob(job, options);
    const seen = await previewPlan(engine, plan, options);
    return { plan, ...seen, remarks: pluginRemarks(connection) };
  } catch (error) {
    throw error instanceof EngineFailure ? engineUserError(error.error) : error;
  } finally {
    await engine.close();
  }
}

/**
 * What would be made and what the policy pack says of it. The engine fails where a mandatory rule is broken; a preview shows that instead.
 * @throws EngineFailure
 */
export async function previewPlan(
  engine: Pick<StackEngine, "preview">,
  plan: Plan,
  { policy = true, signal }: Pick<RunOptions, "policy" | "signal">,
): Promise<Pick<JobPreview, "resources" | "policy">> {
  const resources: PreviewRow[] = [];
  const violations: PolicyViolation[] = [];
  try {
    await engine.preview(plan, {
      signal,
      policy,
      onEvent: (event) => {
        if (event.type === "policy") violations.push(event);
        if (event.type === "started") {
          const { operation, kind, name } = event;
          resources.push({ operation, kind, name });
        }
      },
    });
  } catch (error) {
    if (!(error instanceof EngineFailure && error.error.kind === "policy")) throw error;
  }
  return { resources, policy: policy ? resultOf(violations) : undefined };
}

const resultOf = (violations: readonly PolicyViolation[]): PolicyResult => ({
  passed: violations.every(({ mandatory }) => !mandatory),
  breaches: violations.map(({ policy: rule, mandatory, resource, message }) => ({
    rule,
    mandatory,
    resource,
    message,
  })),
});

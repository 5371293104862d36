import type { JobSpec } from "../../schema/job.ts";
import { EngineFailure, startEngine } from "../engine/index.ts";
import { findConnection, pluginRemarks, readConnection, readContract } from "./environment.ts";
import { engineUserError } from "./preflight.ts";
import { newRunId, type PlanWithNotes, planAttempt, readSpec } from "./prepare.ts";
import type { EnvironmentOptions, JobPreview, RunOptions } from "./types.ts";

type PreviewOptions = EnvironmentOptions & Pick<RunOptions, "runId" | "signal">;

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
    return {
      plan,
      resources: await engine.preview(plan, { signal: options.signal }),
      remarks: pluginRemarks(connection),
    };
  } catch (error) {
    throw error instanceof EngineFailure ? engineUserError(error.error) : error;
  } finally {
    await engine.close();
  }
}

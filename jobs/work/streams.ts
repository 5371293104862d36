// What a stream can do that other jobs can't: the one place where runs are told apart by it.
import type { FlinkStreamJob, JobSpec } from "../../schema/job.ts";
import type { FlinkPlan, Plan } from "../../schema/plan.ts";

/** The plan of a stream; undefined for a job that ends by itself. */
export function streamOf(plan: Plan | undefined): FlinkPlan | undefined {
  switch (plan?.engine) {
    case "flink":
      return plan.kind === "stream" ? plan : undefined;
    case "spark":
    case undefined:
      return undefined;
  }
}

/** The spec of a stream; undefined for that of a job that ends by itself. */
export function streamSpec(spec: JobSpec | undefined): FlinkStreamJob | undefined {
  switch (spec?.engine) {
    case "flink":
      return spec.kind === "stream" ? spec : undefined;
    case "spark":
    case undefined:
      return undefined;
  }
}

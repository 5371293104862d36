import type { JobSpec } from "../../schema/job.ts";
import { flinkNotYet } from "./flink/not-yet.ts";
import type { Refusal } from "./refusal.ts";

/** Why a job that can be planned can't be run yet; undefined where it can. */
export function notYet(spec: JobSpec): Refusal | undefined {
  switch (spec.engine) {
    case "spark":
      return undefined;
    case "flink":
      return flinkNotYet(spec);
  }
}

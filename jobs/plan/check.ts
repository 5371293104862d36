import type { JobSpec } from "../../schema/job.ts";
import { flinkChecks } from "./flink/pods.ts";
import { Refused } from "./refusal.ts";
import { sparkChecks } from "./spark/pods.ts";

/** What is wrong with a spec beyond its form. */
export interface SpecProblem {
  readonly message: string;
  readonly hint: string;
  readonly path: readonly string[];
}

/** Every check of a plan that needs no environment, so that `mayfly validate` finds what `mayfly plan` would refuse. */
function checks(spec: JobSpec): (() => unknown)[] {
  switch (spec.engine) {
    case "spark":
      return sparkChecks(spec);
    case "flink":
      return flinkChecks(spec);
  }
}

/** `conf.spark.master` names one key of `conf`; other paths are fields in fields. */
const segments = (path: string): string[] => {
  const [first = "", ...rest] = path.split(".");
  return first === "conf" || first === "environment" ? [first, rest.join(".")] : [first, ...rest];
};

/** Checks a spec by itself; what does not fit an environment is found by `planRun`. */
export function checkSpec(spec: JobSpec): SpecProblem[] {
  return checks(spec).flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { message, hint, path } = error.refusal;
      return [{ message, hint, path: segments(path) }];
    }
  });
}

import type { JobSpec } from "../../schema/job.ts";
import { Refused } from "./refusal.ts";
import { checkConf } from "./spark/conf.ts";
import { jvmSizes } from "./spark/containers.ts";
import { checkEnvironment } from "./spark/environment.ts";
import { checkLists } from "./spark/s3.ts";

/** What is wrong with a spec beyond its form. */
export interface SpecProblem {
  readonly message: string;
  readonly hint: string;
  readonly path: readonly string[];
}

/** Every check of a plan that needs no environment, so that `mayfly validate` finds what `mayfly plan` would refuse. */
const checks = (spec: JobSpec): (() => unknown)[] => [
  ...Object.entries(spec.conf).map(([key, value]) => () => {
    checkConf({ [key]: value });
  }),
  () => {
    checkEnvironment(spec);
  },
  () => {
    checkLists(spec);
  },
  () => jvmSizes(spec),
];

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

import type { FlinkJob } from "../../../schema/job.ts";
import type { Refusal } from "../refusal.ts";

/**
 * What of Flink can be planned but not run yet: a stream needs somebody who makes its savepoints, and no helper does. Undefined for what
 * can be run.
 */
export const flinkNotYet = ({ kind }: FlinkJob): Refusal | undefined =>
  kind === "batch"
    ? undefined
    : {
        code: "stream-not-yet",
        message: "Streams of Flink can't be run or submitted yet: nobody would make their savepoints.",
        arithmetic: [],
        path: "kind",
        hint: "What works for a stream: mayfly validate, plan and preview. Jobs of kind batch can be run.",
      };

import { z } from "zod";
import { JobSpec } from "../../schema/job.ts";

/** JSON Schema (draft 2020-12) of a job spec as people write it: fields with a default may be left out. */
export const jobSchema = (): Record<string, unknown> => ({
  $id: "https://mayfly.dev/schema/job/v1.json",
  ...z.toJSONSchema(JobSpec, { io: "input" }),
});

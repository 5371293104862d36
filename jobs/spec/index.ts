// Job specs and plans as files. docs/job-spec.md explains the fields.
export { loadPlan, loadSpec, parseSpec, type SpecResult } from "./load.ts";
export { type Problem, problemLine } from "./problem.ts";
export { jobSchema } from "./schema.ts";

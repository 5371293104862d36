// Job specs and plans as files. docs/job-spec.md explains the fields.
export { loadPlan, loadSpec, parseSpec } from "./load.ts";
export { problemLine } from "./problem.ts";
export { jobSchema } from "./schema.ts";

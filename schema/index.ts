// The schemas other programs may use: `import { JobSpec } from "mayfly/schema"`.
export { Connection } from "./connection.ts";
export { EnvironmentContract } from "./contract.ts";
export { EksEnvironment, type EnvironmentConfig, ExistingEnvironment } from "./environment/index.ts";
export { RunEvent } from "./events.ts";
export { FlinkBatchJob, FlinkJob, FlinkStreamJob, JobSpec, SparkJob } from "./job.ts";
export { OUTCOME_EXIT, Outcome } from "./outcome.ts";
export { FlinkPlan, JobOutputs, Plan, SparkPlan } from "./plan.ts";
export { RunReport } from "./report.ts";
export { StreamReport } from "./stream.ts";

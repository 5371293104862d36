// The plan: the pure result of sizing and placing one attempt of a run. docs/plan.md explains the rules.
export { describePlan } from "./describe.ts";
export { runId } from "./names.ts";
export { type PlanResult, planRun, type RunIdentity } from "./plan.ts";
export { type Refusal, refusalError } from "./refusal.ts";

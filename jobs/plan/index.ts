// The plan: the pure result of sizing and placing one attempt of a run. docs/plan.md explains the rules.
export { describePlan } from "./describe.ts";
export { type MemoryScale, planLarger } from "./enlarge.ts";
export { stateCompatible } from "./flink/compatible.ts";
export { type RescaledPlan, rescaledPlan, type StreamSize } from "./flink/rescale.ts";
export { runId } from "./names.ts";
export { planRun } from "./plan.ts";
export { refusalError } from "./refusal.ts";

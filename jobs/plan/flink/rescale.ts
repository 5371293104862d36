import type { EnvironmentContract } from "../../../schema/contract.ts";
import type { FlinkStreamJob } from "../../../schema/job.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import type { Refusal } from "../refusal.ts";

/** How large a stream is to be. */
export interface StreamSize {
  readonly taskManagers: number;
  readonly parallelism: number;
}

/** A plan of the same attempt in another size with the spec that says so, or why there is none. */
export type RescaledPlan =
  | { readonly ok: true; readonly plan: FlinkPlan; readonly spec: FlinkStreamJob }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * The plan of a running attempt with another number of TaskManagers and another parallelism: files, commands, names and place stay, so that
 * an update changes the StatefulSet's replicas and the quota alone. Pure.
 */
export function rescaledPlan(
  plan: FlinkPlan,
  spec: FlinkStreamJob,
  contract: EnvironmentContract,
  size: StreamSize,
): RescaledPlan {
  throw new Error(`not built yet: ${plan.run} ${spec.name} ${contract.name} ${size.taskManagers}`);
}

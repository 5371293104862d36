import type { EnvironmentContract } from "../../../schema/contract.ts";
import type { FlinkStreamJob } from "../../../schema/job.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import { planRun } from "../plan.ts";
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
 * an update changes the StatefulSet's replicas and the quota alone. Flink itself is told the parallelism by its REST. Pure.
 *
 * Refused where the new size does not fit the attempt's own pool and zone or the tenant's quota, has too few slots, or passes
 * `maxParallelism`; by way of a savepoint it may fit another pool.
 */
export function rescaledPlan(
  plan: FlinkPlan,
  spec: FlinkStreamJob,
  contract: EnvironmentContract,
  { taskManagers, parallelism }: StreamSize,
): RescaledPlan {
  const beyond = beyondMaximum(spec, parallelism);
  if (beyond !== undefined) return { ok: false, refusal: beyond };
  const resized = { ...spec, parallelism, taskManagers: { ...spec.taskManagers, count: taskManagers } };
  const planned = planRun(asItRuns(plan, resized), contract, plan);
  if (!planned.ok) return planned;
  const { workers, quota, cost } = planned.plan;
  return {
    ok: true,
    spec: resized,
    plan: {
      ...plan,
      parallelism,
      workers: { ...plan.workers, count: workers.count },
      quota,
      ...(cost === undefined ? {} : { cost }),
    },
  };
}

/** A spec by which pods are sized and placed as those that run: an attempt may have been given more memory than was asked for. */
const asItRuns = (
  { version, placed, coordinator, workers }: FlinkPlan,
  spec: FlinkStreamJob,
): FlinkStreamJob => ({
  ...spec,
  version,
  placement: { pool: placed.pool, zone: placed.zone },
  jobManager: { ...spec.jobManager, memory: `${coordinator.driver.memory}Mi` },
  taskManagers: { ...spec.taskManagers, memory: `${workers.container.memory}Mi` },
});

function beyondMaximum({ maxParallelism }: FlinkStreamJob, parallelism: number): Refusal | undefined {
  if (maxParallelism === undefined || parallelism <= maxParallelism) return undefined;
  return {
    code: "beyond-max-parallelism",
    message: `parallelism ${parallelism} is more than maxParallelism, ${maxParallelism}, which the state was written for.`,
    arithmetic: [],
    path: "parallelism",
    hint: `Ask for at most ${maxParallelism}. To go beyond, the stream has to start without its state, with a larger maxParallelism.`,
  };
}

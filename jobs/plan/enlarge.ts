// More memory for an attempt after one that ran out of it.
import type { EnvironmentContract } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import { parseMemory } from "../../schema/quantity.ts";
import { type PlanResult, planRun, type RunIdentity } from "./plan.ts";

/** How many times more memory than the spec says. */
export interface MemoryScale {
  readonly driver: number;
  readonly workers: number;
}

/** Where a whole step does not fit, the most that does is found to a sixty-fourth of the step. */
const HALVINGS = 6;

/**
 * Plans with as much more memory as is asked for, or as quota and nodes allow. The sizes that a spec names all grow; those that follow
 * from them follow.
 */
export function planLarger(
  spec: JobSpec,
  contract: EnvironmentContract,
  identity: RunIdentity,
  scale: MemoryScale,
): PlanResult {
  const tried = (share: number): PlanResult => planRun(enlarge(spec, part(scale, share)), contract, identity);
  const whole = tried(1);
  if (whole.ok) return whole;
  let best = tried(0);
  let [low, high] = [0, 1];
  for (let step = 0; step < HALVINGS && best.ok; step++) {
    const middle = (low + high) / 2;
    const result = tried(middle);
    if (result.ok) [best, low] = [result, middle];
    else high = middle;
  }
  return best;
}

/** From no more (0) to all of it (1). */
const part = ({ driver, workers }: MemoryScale, share: number): MemoryScale => ({
  driver: 1 + (driver - 1) * share,
  workers: 1 + (workers - 1) * share,
});

function enlarge(spec: JobSpec, { driver, workers }: MemoryScale): JobSpec {
  switch (spec.engine) {
    case "spark":
      return { ...spec, driver: scaled(spec.driver, driver), workers: scaled(spec.workers, workers) };
    case "flink":
      return {
        ...spec,
        jobManager: scaled(spec.jobManager, driver),
        taskManagers: scaled(spec.taskManagers, workers),
      };
  }
}

const SIZES = ["memory", "overhead", "offHeap", "pythonMemory"] as const;

function scaled<T extends Partial<Record<(typeof SIZES)[number], string | undefined>>>(
  sizes: T,
  factor: number,
): T {
  const larger = SIZES.flatMap((name) => {
    const mib = sizes[name] === undefined ? undefined : parseMemory(sizes[name]);
    return mib === undefined ? [] : [[name, `${Math.floor(mib * factor)}Mi`] as const];
  });
  return { ...sizes, ...Object.fromEntries<string>(larger) };
}

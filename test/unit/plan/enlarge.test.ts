import { describe, expect, test } from "vitest";
import { planLarger } from "../../../jobs/plan/index.ts";
import type { Plan } from "../../../schema/plan.ts";
import { environment, wordcount } from "./sample.ts";

const identity = { run: "wordcount-11240600-aaaaa", attempt: 2 };

function planned(scale: { driver: number; workers: number }, memory = "4Gi"): Plan {
  const spec = wordcount({ workers: { count: 2, cores: 1, memory } });
  const result = planLarger(spec, environment(), identity, scale);
  if (!result.ok) throw new Error(result.refusal.message);
  return result.plan;
}
const workersOf = (plan: Plan): number => plan.workers.container.memory;
const driverOf = (plan: Plan): number => plan.coordinator.driver.memory;
const asked = planned({ driver: 1, workers: 1 });

describe("an attempt after one that ran out of memory", () => {
  test("gets as many times more as is asked for, for those alone that ran out of it", () => {
    const plan = planned({ driver: 1, workers: 1.5 });
    expect(workersOf(plan) / workersOf(asked)).toBeCloseTo(1.5, 1);
    expect(driverOf(plan)).toBe(driverOf(asked));
    expect(plan.quota.memory).toBeGreaterThan(asked.quota.memory);
  });

  test("gets the most that nodes and quota allow where that is too much", () => {
    const most = planned({ driver: 1, workers: 1000 });
    expect(workersOf(most)).toBeGreaterThan(workersOf(asked));
    const result = planLarger(
      wordcount({ workers: { count: 2, cores: 1, memory: "4Gi" } }),
      environment(),
      identity,
      { driver: 1, workers: (1.1 * workersOf(most)) / workersOf(asked) },
    );
    // A tenth more than that would have been refused: it gets about the same again.
    expect(result.ok && workersOf(result.plan)).toBeLessThan(1.1 * workersOf(most));
  });

  test("is refused where not even what the spec says fits any more", () => {
    const spec = wordcount({ workers: { count: 2, cores: 1, memory: "900Gi" } });
    expect(planLarger(spec, environment(), identity, { driver: 1, workers: 2 })).toMatchObject({ ok: false });
  });
});

import { describe, expect, it } from "vitest";
import { rescaledPlan, type StreamSize } from "../../../jobs/plan/index.ts";
import type { EnvironmentContract } from "../../../schema/contract.ts";
import { FlinkStreamJob } from "../../../schema/job.ts";
import { FlinkPlan } from "../../../schema/plan.ts";
import { type Changes, contract, planOf, stream } from "./flink-sample.ts";

const specOf = (changes: Changes = {}): FlinkStreamJob => FlinkStreamJob.parse(stream(changes));

const rescaled = (
  spec: FlinkStreamJob,
  size: StreamSize,
  { plan = planOf(spec), at = contract() }: { plan?: FlinkPlan; at?: EnvironmentContract } = {},
) => {
  const result = rescaledPlan(plan, spec, at, size);
  if (!result.ok) throw new Error(result.refusal.message);
  return { before: plan, after: FlinkPlan.parse(result.plan), spec: result.spec };
};

const refusal = (spec: FlinkStreamJob, size: StreamSize, at = contract(), plan = planOf(spec)) => {
  const result = rescaledPlan(plan, spec, at, size);
  if (result.ok) throw new Error("was planned");
  return result.refusal;
};

describe("a running stream in another size", () => {
  it("differs in the number of TaskManagers, the parallelism, the quota and the price, and in nothing else", () => {
    const { before, after, spec } = rescaled(specOf(), { taskManagers: 5, parallelism: 10 });
    const { memory, cpu, disk } = before.workers.container;
    expect(after).toEqual({
      ...before,
      parallelism: 10,
      workers: { ...before.workers, count: 5 },
      quota: {
        cpu: before.quota.cpu + 2 * cpu,
        memory: before.quota.memory + 2 * memory,
        scratch: before.quota.scratch + 2 * disk,
        pods: 6,
      },
      ...(after.cost === undefined ? {} : { cost: after.cost }),
    });
    expect(spec).toEqual({
      ...specOf(),
      parallelism: 10,
      taskManagers: { ...specOf().taskManagers, count: 5 },
    });
  });

  it("comes back to what it was", () => {
    const { after, before, spec } = rescaled(specOf({ parallelism: 6 }), { taskManagers: 1, parallelism: 1 });
    expect(after.quota.pods).toBe(2);
    const back = rescaled(spec, { taskManagers: 3, parallelism: 6 }, { plan: after });
    expect(back.after).toEqual(before);
  });

  it("keeps its pool and zone, also where its run would be placed elsewhere today", () => {
    const plan = planOf(specOf());
    const elsewhere = { ...contract(), pools: [...contract().pools].reverse() };
    const { after } = rescaled(specOf(), { taskManagers: 4, parallelism: 8 }, { plan, at: elsewhere });
    expect(after.placed).toEqual(plan.placed);
    expect(after.workers.placement).toEqual(plan.workers.placement);
  });

  it("counts TaskManagers as they are, where an attempt got more memory than its spec says", () => {
    const larger = planOf(specOf({ taskManagers: { count: 3, slots: 2, memory: "6Gi" } }));
    const { after } = rescaled(specOf(), { taskManagers: 4, parallelism: 8 }, { plan: larger });
    expect(after.quota.memory).toBe(larger.quota.memory + 6 * 1024);
    expect(after.workers.container).toEqual(larger.workers.container);
  });

  it("is refused without slots for all of it", () => {
    expect(refusal(specOf(), { taskManagers: 2, parallelism: 5 })).toMatchObject({
      code: "not-enough-slots",
      path: "parallelism",
    });
  });

  it("is refused beyond the parallelism for which its state was written", () => {
    expect(refusal(specOf({ maxParallelism: 8 }), { taskManagers: 10, parallelism: 9 })).toMatchObject({
      code: "beyond-max-parallelism",
      path: "parallelism",
    });
    expect(
      rescaled(specOf({ maxParallelism: 8 }), { taskManagers: 4, parallelism: 8 }).after.parallelism,
    ).toBe(8);
  });

  it("is refused with the sum where the zone of its pool has no nodes for it", () => {
    const found = refusal(specOf(), { taskManagers: 900, parallelism: 1800 });
    expect(found).toMatchObject({ code: "does-not-fit-pool", path: "taskManagers.count" });
    expect(found.arithmetic.join("\n")).toContain("900 workers");
  });

  it("is refused with the sum where it passes the tenant's quota", () => {
    const at = contract();
    const tight = {
      ...at,
      tenants: at.tenants.map((tenant) => ({ ...tenant, quota: { ...tenant.quota, pods: 4 } })),
    };
    expect(refusal(specOf(), { taskManagers: 4, parallelism: 8 }, tight)).toMatchObject({
      code: "does-not-fit-quota",
    });
  });
});

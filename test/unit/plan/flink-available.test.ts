import { describe, expect, it } from "vitest";
import { planRun } from "../../../jobs/plan/plan.ts";
import type { EnvironmentContract } from "../../../schema/contract.ts";
import { FlinkPlan } from "../../../schema/plan.ts";
import { batch, type Changes, contract, identity, planOf, stream } from "./flink-sample.ts";

const offered: NonNullable<EnvironmentContract["highAvailability"]> = {
  roles: { coordinator: "mayfly-prod-state-writer", workers: "mayfly-prod-state-reader" },
  api: {
    name: "kubernetes-api",
    peers: [{ kind: "cidr", cidr: "10.0.0.0/20", except: [] }],
    ports: [{ protocol: "TCP", port: 443 }],
  },
};

const environment = (allowed: boolean): EnvironmentContract => ({
  ...contract(),
  tenants: contract().tenants.map((tenant) => ({ ...tenant, allowHighAvailability: allowed })),
  highAvailability: offered,
});

const resultOf = (changes: Changes, at: EnvironmentContract) =>
  planRun(stream({ highAvailability: "kubernetes", ...changes }), at, identity);

const available = (changes: Changes = {}, attempt = 1): FlinkPlan => {
  const spec = stream({ highAvailability: "kubernetes", ...changes });
  const result = planRun(spec, environment(true), { ...identity, attempt });
  if (!result.ok) throw new Error(result.refusal.message);
  return FlinkPlan.parse(result.plan);
};

describe("a stream that Kubernetes keeps alive", () => {
  it("keeps what its JobManager needs in a folder of the attempt, found by a config map in its own namespace", () => {
    const plan = available();
    expect(plan.highAvailability).toEqual({
      storage: "s3://acme-data/state/nightly-orders/high-availability/nightly-orders-11240544-k3fqa/1",
      clusterId: "flink",
    });
    expect(available({}, 2).highAvailability?.storage).toMatch(/\/2$/);
    const lines = (plan.files["config.yaml"] ?? "").split("\n");
    for (const line of [
      'high-availability.type: "kubernetes"',
      `high-availability.storageDir: "${plan.highAvailability?.storage}"`,
      // A port that the run's network policies know.
      'high-availability.jobmanager.port: "6123"',
      'kubernetes.cluster-id: "flink"',
      `kubernetes.namespace: "${plan.namespace}"`,
      `job-result-store.storage-path: "${plan.highAvailability?.storage}/results"`,
    ]) {
      expect(lines).toContain(line);
    }
  });

  it("gets the environment's roles and its way to the API", () => {
    expect(available().kubernetes).toMatchObject({ ...offered, configMaps: 2 });
  });

  it("is refused where its tenant may not, or the environment has no such thing, and says what to do", () => {
    const refusal = (at: EnvironmentContract) => {
      const result = resultOf({}, at);
      return result.ok ? undefined : result.refusal;
    };
    expect(refusal(environment(false))).toMatchObject({
      code: "high-availability-not-allowed",
      path: "highAvailability",
      hint: expect.stringContaining("allowHighAvailability") as unknown,
    });
    expect(refusal(contract())).toMatchObject({ code: "high-availability-unavailable" });
  });

  it("is the only kind of job that has anything to do with Kubernetes", () => {
    for (const spec of [stream(), batch()]) {
      const result = planRun(spec, environment(true), identity);
      if (!result.ok) throw new Error(result.refusal.message);
      expect(result.plan).not.toHaveProperty("kubernetes");
      expect(result.plan).not.toHaveProperty("highAvailability");
    }
    expect(planOf(stream()).files["config.yaml"]).toContain('high-availability.type: "NONE"');
  });
});

describe("drains of nodes", () => {
  it("stop one TaskManager of a stream at a time; those of a batch job as they come", () => {
    expect(planOf(stream()).workers.evictable).toBe(1);
    expect(planOf(batch()).workers).not.toHaveProperty("evictable");
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nodesForAll, nodesNeeded } from "../../../jobs/plan/fit.ts";
import { type PlanResult, planRun } from "../../../jobs/plan/plan.ts";
import type { Refusal } from "../../../jobs/plan/refusal.ts";
import { EnvironmentContract } from "../../../schema/contract.ts";
import { JobSpec } from "../../../schema/job.ts";
import type { PlannedService } from "../../../schema/plan.ts";
import { environment } from "./sample.ts";

const contract = EnvironmentContract.parse({
  ...environment(),
  images: [
    {
      engine: "flink",
      version: "2.3.0",
      reference: "registry.example/flink:2.3.0",
      pullPolicy: "IfNotPresent",
    },
  ],
});

type Changes = Readonly<Record<string, unknown>>;

const scoring = (changes: Changes = {}): Changes => ({
  name: "scoring",
  command: ["python3", "/opt/app/serve.py"],
  port: 8080,
  cpu: "500m",
  memory: "256Mi",
  replicas: { max: 6 },
  ...changes,
});

const document = (services: readonly Changes[], changes: Changes = {}): unknown => ({
  apiVersion: "mayfly.dev/v1",
  name: "fraud-alerts",
  tenant: "acme",
  engine: "flink",
  version: "2.3",
  kind: "stream",
  application: { kind: "jar", file: "s3://acme-code/fraud.jar", mainClass: "com.acme.Fraud" },
  checkpoints: { location: "s3://acme-data/state/" },
  taskManagers: { count: 2, slots: 1 },
  services,
  ...changes,
});

const plan = (services: readonly Changes[], changes: Changes = {}): PlanResult =>
  planRun(JobSpec.parse(document(services, changes)), contract, {
    run: "fraud-alerts-11240544-k3fqa",
    attempt: 1,
  });

const planned = (service: Changes): PlannedService => {
  const result = plan([service]);
  const found = result.ok ? result.plan.services?.[0] : undefined;
  if (found === undefined) throw new Error("no service");
  return found;
};

const refusal = (services: readonly Changes[], changes: Changes = {}): Refusal => {
  const result = plan(services, changes);
  if (result.ok) throw new Error("was planned");
  return result.refusal;
};

const problems = (services: readonly Changes[]): string[] => {
  const parsed = JobSpec.safeParse(document(services));
  return parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`);
};

describe("services in a spec", () => {
  test("are of streams only", () => {
    const parsed = JobSpec.safeParse(document([scoring()], { kind: "batch", checkpoints: undefined }));
    expect(parsed.success).toBe(false);
  });

  test.each([
    ["a name of the run's own", scoring({ name: "coordinator" }), "services.0.name"],
    ["a name that is no host name", scoring({ name: "Scoring_1" }), "services.0.name"],
    ["fewer at most than at least", scoring({ replicas: { min: 3, max: 2 } }), "services.0.replicas.max"],
    ["none at least", scoring({ replicas: { min: 0, max: 2 } }), "services.0.replicas.min"],
    ["a port for root", scoring({ port: 80 }), "services.0.port"],
    [
      "a target that is no share",
      scoring({ scaleOn: { kind: "cpu", target: "60" } }),
      "services.0.scaleOn.target",
    ],
  ])("refuse %s", (_, service, path) => {
    expect(problems([service]).map((problem) => problem.split(":")[0])).toEqual([path]);
  });

  test("refuse the same name twice", () => {
    expect(problems([scoring(), scoring()])).toEqual(["services.1.name: another service is named scoring"]);
  });
});

describe("a service's plan", () => {
  test("has the job's image, 60 % of CPU and the workers' nodes where nothing else is said", () => {
    const result = plan([scoring()]);
    if (!result.ok) throw new Error(result.refusal.message);
    expect(result.plan.services).toMatchObject([
      {
        image: { reference: "registry.example/flink:2.3.0" },
        replicas: { min: 1, max: 6 },
        scaleOn: { kind: "cpu", percent: 60 },
        placement: result.plan.workers.placement,
        container: { cpu: 500, memory: 256, secretEnv: [] },
      },
    ]);
  });

  test("has no autoscaler where it is always the same number", () => {
    expect(planned(scoring({ replicas: { min: 2, max: 2 } })).scaleOn).toBeUndefined();
  });

  test("keeps what the kubelet would expand as it was written", () => {
    const { container } = planned(
      scoring({ arguments: ["$(date)"], environment: { GREETING: "$(POD_IP)" } }),
    );
    expect(container.command.at(-1)).toBe("$$(date)");
    expect(container.env).toEqual({ GREETING: "$$(POD_IP)" });
  });

  test("writes a metric's target as a quantity, and says that the cluster must serve it", () => {
    const byMetric = scoring({ scaleOn: { kind: "metric", name: "queue_depth", target: 2.5 } });
    expect(planned(byMetric).scaleOn).toEqual({ kind: "metric", name: "queue_depth", quantity: "2500m" });
    const result = plan([byMetric]);
    expect(result.ok && result.notes.join()).toContain("custom.metrics.k8s.io");
  });

  test("gets nothing of the run's secret, nor of the tenant's S3 identity", () => {
    const service = planned(scoring());
    expect(JSON.stringify(service)).not.toMatch(/authentication|AWS_|secretFiles|web-identity/);
  });
});

describe("quota and place", () => {
  test("count the most of each service", () => {
    const [without, with_] = [plan([]), plan([scoring()])];
    if (!without.ok || !with_.ok) throw new Error("refused");
    expect({
      cpu: with_.plan.quota.cpu - without.plan.quota.cpu,
      memory: with_.plan.quota.memory - without.plan.quota.memory,
      pods: with_.plan.quota.pods - without.plan.quota.pods,
    }).toEqual({ cpu: 3000, memory: 6 * 256, pods: 6 });
  });

  test("a service that may grow beyond the tenant's quota is refused with the sum", () => {
    const { code, arithmetic } = refusal([scoring({ replicas: { max: 60 } })]);
    expect(code).toBe("does-not-fit-quota");
    expect(arithmetic).toEqual([
      "  pods: coordinator 1 + 2 workers × 1 + 60 scoring × 1 = 63, quota 60: 3 too much",
    ]);
  });

  test("a pod larger than any node is refused, and the service named", () => {
    const { code, message, path } = refusal([scoring({ cpu: "20" })]);
    expect([code, path]).toEqual(["does-not-fit-node", "services.0"]);
    expect(message).toContain('"scoring"');
  });

  test("replicas that fill more nodes than a zone has are refused", () => {
    const { code, message } = refusal([scoring({ cpu: "15", replicas: { max: 50 } })]);
    expect(code).toBe("does-not-fit-pool");
    expect(message).toContain("at most 50 of service scoring");
  });

  test("as many nodes as needed: never fewer than the sums say, never more than one for each pod", () => {
    const size = fc.record({
      cpu: fc.integer({ min: 1, max: 4000 }),
      memory: fc.integer({ min: 1, max: 16_000 }),
      disk: fc.integer({ min: 1, max: 50_000 }),
    });
    const count = fc.integer({ min: 1, max: 20 });
    const node = { cpu: 4000, memory: 16_000, scratch: 50_000, pods: 20 };
    fc.assert(
      fc.property(size, size, size, count, count, (coordinator, worker, pod, workers, max) => {
        const services = [{ name: "scoring", pod, min: 1, max }];
        const nodes = nodesForAll(node, { worker, workers, services }, coordinator) ?? Number.NaN;
        const cpu = coordinator.cpu + worker.cpu * workers + pod.cpu * max;
        expect(nodes).toBeGreaterThanOrEqual(Math.ceil(cpu / node.cpu));
        expect(nodes).toBeGreaterThanOrEqual(nodesNeeded(node, worker, workers) ?? 0);
        expect(nodes).toBeLessThanOrEqual(1 + workers + max);
      }),
    );
  });
});

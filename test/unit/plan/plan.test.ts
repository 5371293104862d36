import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refusalError } from "../../../jobs/plan/index.ts";
import { type PlanResult, planRun } from "../../../jobs/plan/plan.ts";
import { EnvironmentContract } from "../../../schema/contract.ts";
import { JobSpec } from "../../../schema/job.ts";
import { DOES_NOT_FIT_EXIT } from "../../../schema/outcome.ts";
import { Plan } from "../../../schema/plan.ts";
import { environment, identity, pi, wordcount } from "./sample.ts";

const planned = (result: PlanResult): Plan => {
  if (!result.ok) throw new Error(`refused: ${result.refusal.message}`);
  return result.plan;
};

const refused = (spec: JobSpec, contract = environment()) => {
  const result = planRun(spec, contract, identity);
  if (result.ok) throw new Error("was not refused");
  return result.refusal;
};

const memory = fc.integer({ min: 512, max: 20_000 }).map((mib) => `${mib}Mi`);

/** Any job that the schema takes, small enough that most fit. */
const anyJob: fc.Arbitrary<JobSpec> = fc
  .record(
    {
      name: fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
      application: fc.constantFrom(
        { kind: "python", file: "s3://acme-code/a.py", pyFiles: ["s3://acme-code/lib.zip"] },
        { kind: "jar", file: "local:///opt/spark/examples/pi.jar", mainClass: "com.example.Pi" },
      ),
      version: fc.constantFrom("3.5", "3.5.8", "4.0", "4.0.1"),
      arguments: fc.array(fc.string(), { maxLength: 3 }),
      environment: fc.dictionary(fc.stringMatching(/^X[A-Z_]{0,9}$/), fc.string(), { maxKeys: 3 }),
      conf: fc.dictionary(fc.constantFrom("spark.sql.ansi.enabled", "spark.eventLog.compress"), fc.string()),
      driver: fc.record(
        { cores: fc.integer({ min: 1, max: 4 }), memory, overhead: memory },
        { requiredKeys: [] },
      ),
      workers: fc.record(
        {
          count: fc.integer({ min: 1, max: 30 }),
          cores: fc.integer({ min: 1, max: 4 }),
          cpu: fc.constantFrom("500m", "1.5"),
          memory,
          overhead: memory,
          offHeap: memory,
        },
        { requiredKeys: ["count"] },
      ),
      scratch: fc.constantFrom(
        { kind: "emptyDir", size: "3Gi" },
        { kind: "storageClass", storageClass: "gp3", size: "50Gi" },
      ),
      serviceLevel: fc.constantFrom({ spot: "never" }, { spot: "workers" }),
      placement: fc.constantFrom({}, { zone: "eu-west-1b" }, { pool: "memory" }),
    },
    { requiredKeys: ["name", "application", "version", "workers"] },
  )
  .map((fields) =>
    JobSpec.parse({ apiVersion: "mayfly.dev/v1", tenant: "acme", engine: "spark", ...fields }),
  );

const anyRun = fc.record({
  run: fc.stringMatching(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/),
  attempt: fc.integer({ min: 1, max: 31 }),
});

describe("any plan", () => {
  it("is as its schema wants it, and every sum in it adds up", () => {
    let plans = 0;
    fc.assert(
      fc.property(anyJob, anyRun, (spec, run) => {
        const result = planRun(spec, environment(), run);
        if (!result.ok) return;
        plans++;
        const plan = Plan.parse(result.plan);
        const coordinator = [...plan.coordinator.sidecars, plan.coordinator.driver];
        const worker = plan.workers.container;
        for (const container of [...coordinator, worker]) {
          expect(container.memoryParts.reduce((sum, { mib }) => sum + mib, 0)).toBe(container.memory);
        }
        const count = plan.workers.count;
        expect(plan.quota).toEqual({
          cpu: coordinator.reduce((sum, { cpu }) => sum + cpu, count * worker.cpu),
          memory: coordinator.reduce((sum, { memory }) => sum + memory, count * worker.memory),
          scratch: coordinator.reduce((sum, { disk }) => sum + disk, count * worker.disk),
          pods: 1 + count,
        });
        expect(plan.namespace.length).toBeLessThanOrEqual(63);
        const pool = environment().pools.find(({ name }) => name === plan.placed.pool);
        expect(worker.memory).toBeLessThanOrEqual(pool?.allocatable.memory ?? 0);
      }),
    );
    expect(plans).toBeGreaterThan(20);
  });

  it("is the same for the same input, and depends on nothing but it", () => {
    fc.assert(
      fc.property(anyJob, anyRun, (spec, run) => {
        expect(planRun(structuredClone(spec), environment(), { ...run })).toEqual(
          planRun(spec, environment(), run),
        );
      }),
    );
  });

  it("does not change its input", () => {
    const [spec, contract] = [wordcount(), environment()];
    const before = JSON.stringify([spec, contract]);
    planRun(spec, contract, identity);
    expect(JSON.stringify([spec, contract])).toBe(before);
  });

  it("never gives a smaller heap when more memory is asked for", () => {
    const heap = (mib: number): number => {
      const plan = planned(
        planRun(wordcount({ workers: { count: 1, memory: `${mib}Mi` } }), environment(), identity),
      );
      return Number(/spark\.executor\.memory=(\d+)m/.exec(plan.files["driver.properties"] ?? "")?.[1]);
    };
    fc.assert(
      fc.property(fc.integer({ min: 512, max: 40_000 }), fc.integer({ min: 1, max: 40_000 }), (mib, more) => {
        expect(heap(mib + more)).toBeGreaterThan(heap(mib));
      }),
    );
  });

  it("holds no secret value: only names of Secrets", () => {
    const plan = planned(
      planRun(
        wordcount({ secrets: [{ env: "DB_PASSWORD", secret: "database", key: "password" }] }),
        environment(),
        identity,
      ),
    );
    expect(plan.secrets).toEqual([
      { fromNamespace: "tenant-acme", name: "database" },
      { fromNamespace: "tenant-acme", name: "s3" },
    ]);
    expect(plan.workers.container.secretEnv).toContainEqual({
      env: "DB_PASSWORD",
      secret: "database",
      key: "password",
    });
    expect(plan.coordinator.sidecars[0]?.secretEnv).toEqual([]);
  });
});

describe("what a plan decides", () => {
  it("takes the newest image of a version's line, by number and not by text, and says so", () => {
    const result = planRun(wordcount({ version: "4.0" }), environment(), identity);
    expect(planned(result).version).toBe("4.0.10");
    expect(result.ok && result.notes).toContain("spark 4.0 is 4.0.10 here.");
  });

  it("runs a job's own image", () => {
    const plan = planned(
      planRun(wordcount({ image: "registry.example/acme/spark:7" }), environment(), identity),
    );
    expect(plan.image).toEqual({ reference: "registry.example/acme/spark:7", pullPolicy: "IfNotPresent" });
  });

  it("gives a job that names no S3 neither settings nor credentials for it", () => {
    const plan = planned(planRun(pi(), environment(), identity));
    expect(plan.secrets).toEqual([]);
    expect(plan.inputs).toEqual([]);
    expect(JSON.stringify([plan.coordinator, plan.workers, plan.files["driver.properties"]])).not.toMatch(
      /AWS_|s3/,
    );
  });

  it("names the files that must exist, each once and without its alias", () => {
    const plan = planned(
      planRun(
        wordcount({
          files: ["s3://acme-data/stop.txt#stop", "s3://acme-code/wordcount.py", "local:///etc/hosts"],
        }),
        environment(),
        identity,
      ),
    );
    expect(plan.inputs).toEqual(["s3://acme-code/wordcount.py", "s3://acme-data/stop.txt"]);
  });

  it("notes a bucket that is not the tenant's", () => {
    const result = planRun(
      wordcount({ output: { locations: ["s3://globex-data/x"] } }),
      environment(),
      identity,
    );
    expect(result.ok && result.notes.join()).toMatch(/"globex-data" is not one of tenant "acme"/);
  });

  it("lets a tenant with a web identity sign with a projected token instead of a Secret", () => {
    const contract = environment();
    const globex = {
      ...contract,
      tenants: contract.tenants.map((tenant) => ({ ...tenant, quota: { ...tenant.quota, pods: 9 } })),
    };
    const plan = planned(planRun(wordcount({ tenant: "globex" }), globex, identity));
    expect(plan.webIdentity).toEqual({
      folder: "/var/run/secrets/mayfly/web-identity",
      audience: "sts.amazonaws.com",
    });
    expect(plan.secrets).toEqual([]);
    expect(plan.coordinator.driver.env).toMatchObject({
      AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/globex",
      AWS_WEB_IDENTITY_TOKEN_FILE: "/var/run/secrets/mayfly/web-identity/token",
    });
  });

  it("estimates the cost from shares of nodes, and only where prices are known", () => {
    const plan = planned(planRun(wordcount(), environment(), identity));
    // Coordinator 1250 of 3800 millicores, workers 5990 of 14500 MiB: the scarcer share of each.
    expect(plan.cost?.perHour).toBeCloseTo((1250 / 3800 + (2 * 5990) / 14_500) * 0.2016, 4);
    const contract = environment();
    const unpriced = EnvironmentContract.parse({
      ...contract,
      pools: contract.pools.map(({ pricePerHour: _, ...pool }) => pool),
    });
    expect(planned(planRun(wordcount(), unpriced, identity)).cost).toBeUndefined();
  });
});

describe("a refusal", () => {
  it.each([
    { change: { tenant: "acne" }, code: "unknown-tenant", path: "tenant", hint: 'Did you mean "acme"?' },
    {
      change: { placement: { pool: "genaral" } },
      code: "unknown-pool",
      path: "placement.pool",
      hint: 'Did you mean "general"?',
    },
    {
      change: { placement: { zone: "eu-west-1c" } },
      code: "unknown-zone",
      path: "placement.zone",
      hint: "eu-west-1a",
    },
    {
      change: { version: "4.1" },
      code: "unknown-version",
      path: "version",
      hint: '"4.0.10", "4.0.1" and "3.5.8"',
    },
    {
      change: { scratch: { kind: "storageClass", storageClass: "gp2", size: "1Gi" } },
      code: "unknown-storage-class",
      path: "scratch.storageClass",
      hint: 'Did you mean "gp3"?',
    },
    { change: { driver: { memory: "256Mi" } }, code: "heap-too-small", path: "driver.memory", hint: "512Mi" },
    {
      change: { placement: { pool: "general-spot" } },
      code: "spot-not-allowed",
      path: "placement.pool",
      hint: "serviceLevel.spot",
    },
  ])("$code names the place and what to do, as invalid input", ({ change, code, path, hint }) => {
    const refusal = refused(wordcount(change));
    expect(refusal).toMatchObject({ code, path });
    expect(refusal.hint).toContain(hint);
    expect(refusalError(refusal).exitCode).toBe(65);
  });

  it("shows the memory sum of a worker that fits no node, and what is too much", () => {
    const refusal = refused(wordcount({ workers: { count: 1, memory: "100Gi" } }));
    expect(refusal.code).toBe("does-not-fit-node");
    expect(refusal.path).toBe("workers");
    const text = refusal.arithmetic.join("\n");
    expect(text).toContain("102400 MiB  executor heap");
    expect(text).toContain("= 143616 MiB  in all");
    expect(text).toContain("asks 143616 MiB memory, a node has 120000: 23616 too much");
    expect(refusalError(refusal)).toMatchObject({ code: "does-not-fit-node", exitCode: DOES_NOT_FIT_EXIT });
    expect(refusalError(refusal).message).toContain(text);
  });

  it("counts the nodes of a run that fills more than a zone has", () => {
    const refusal = refused(
      wordcount({ workers: { count: 50, memory: "6Gi" }, placement: { pool: "general" } }),
    );
    expect(refusal.code).toBe("does-not-fit-pool");
    // One worker of 8857 MiB on each node, one beside the coordinator.
    expect(refusal.arithmetic.join("\n")).toContain(
      "coordinator and 50 workers fill 50 nodes, a zone has 10: 40 too many",
    );
  });

  it("adds up what passes the tenant's quota", () => {
    const refusal = refused(wordcount({ tenant: "globex" }));
    expect(refusal.code).toBe("does-not-fit-quota");
    expect(refusal.arithmetic).toEqual(["  pods: coordinator 1 + 2 workers × 1 = 3, quota 1: 2 too much"]);
  });

  it("has an arithmetic whose numbers are true, whatever the size", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 512, max: 400_000 }), (count, mib) => {
        const result = planRun(
          wordcount({ workers: { count, memory: `${mib}Mi` } }),
          environment(),
          identity,
        );
        if (result.ok) return;
        for (const line of result.refusal.arithmetic) {
          const node = /asks (\d+) .*, a node has (\d+): (\d+) too much/.exec(line);
          if (node !== null) expect(Number(node[1]) - Number(node[2])).toBe(Number(node[3]));
          const quota =
            /coordinator (\d+) \+ (\d+) workers × (\d+) = (\d+), quota (\d+): (\d+) too much/.exec(line);
          if (quota !== null) {
            const [, coordinator, workers, each, total, limit, over] = quota.map(Number);
            expect((coordinator ?? 0) + (workers ?? 0) * (each ?? 0)).toBe(total);
            expect((total ?? 0) - (limit ?? 0)).toBe(over);
          }
        }
        expect(result.refusal.arithmetic.length).toBeGreaterThan(0);
      }),
    );
  });

  it("names every computed property that conf sets, and where it belongs", () => {
    const refusal = refused(
      wordcount({
        conf: { "spark.executor.memory": "8g", "spark.master": "local", "spark.sql.ansi.enabled": "true" },
      }),
    );
    expect(refusal.code).toBe("reserved-property");
    expect(refusal.message).toBe(
      'conf sets "spark.executor.memory" and "spark.master", which Mayfly computes.',
    );
    expect(refusal.hint).toContain("use workers.memory");
  });
});

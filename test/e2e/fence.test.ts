// What the API server refuses to a helper that has lost its lease and does not know (docs/leases.md): an environment's fence of its own on
// the real cluster, first by hand, then with the real engine as the stale helper.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { FencePolicy } from "../../components/platform/fence-policy.ts";
import { EngineFailure, isFencedOff, startEngine } from "../../jobs/engine/index.ts";
import { planRun } from "../../jobs/plan/index.ts";
import { type Cluster, openCluster } from "../../jobs/watch/cluster.ts";
import { raiseFence } from "../../jobs/watch/fence.ts";
import { checkFence } from "../../jobs/watch/fence-check.ts";
import { removeNamespace as removeRunsNamespace } from "../../jobs/watch/namespace.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import { scratchProject } from "../harness/lab-pulumi.ts";
import { apply, eventually, kubectl } from "../lab/pods.ts";
import { jobFile } from "./run-process.ts";

const ENVIRONMENT = `fence-${randomBytes(3).toString("hex")}`;
const TENANT = "demo";
const TENANT_NAMESPACE = `tenant-${ENVIRONMENT}`;
const MAYFLY = {
  "app.kubernetes.io/managed-by": "mayfly",
  "mayfly.dev/environment": ENVIRONMENT,
  "mayfly.dev/tenant": TENANT,
};

let cluster: Cluster;
let undo: () => Promise<void>;

const namespace = (name: string, labels: object): object => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name, labels: { ...MAYFLY, ...labels } },
});
const runLabels = (run: string, fence?: number): object => ({
  "mayfly.dev/job": "count",
  "mayfly.dev/run": run,
  ...(fence === undefined ? {} : { "mayfly.dev/fence": String(fence) }),
});

/** `taken`, or what the API server says. */
async function tried(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "taken";
  } catch (error) {
    return String(error);
  }
}

/** Until the API server has heard of what was written a moment ago. */
const refusedSoon = async (work: () => Promise<unknown>): Promise<string> =>
  await eventually(
    "refusal",
    async () => {
      const said = await tried(work);
      return said === "taken" ? undefined : said;
    },
    20,
  );

const removeNamespace = async (name: string): Promise<void> => {
  await kubectl(["delete", "namespace", name, "--wait=false", "--ignore-not-found"]);
};

beforeAll(async () => {
  cluster = await openCluster(readConnection(labPaths()).kubeconfig);
  const scratch = await scratchProject({
    "Pulumi.yaml": JSON.stringify({ name: "fence", runtime: "nodejs" }),
  });
  const program = (): Promise<void> => {
    const provider = new kubernetes.Provider("kubernetes", {});
    new FencePolicy("fence", { environment: ENVIRONMENT, labels: MAYFLY, provider });
    return Promise.resolve();
  };
  const stack = await Stack.create("test", await scratch.workspace(program));
  undo = async () => {
    await stack.destroy({ color: "never" });
    await scratch[Symbol.asyncDispose]();
  };
  await Promise.all([
    stack.up({ color: "never" }),
    apply(namespace(TENANT_NAMESPACE, { "mayfly.dev/role": "tenant" })),
  ]);
  await checkFence(cluster, [
    `mayfly-${ENVIRONMENT}-fence-objects`,
    `mayfly-${ENVIRONMENT}-fence-namespaces`,
  ]);
  // A policy counts some hundred milliseconds after it was made.
  const probe = `probe-${ENVIRONMENT}`;
  await raiseFence(cluster, { run: probe, namespace: probe, tenantNamespace: TENANT_NAMESPACE }, 2);
  await refusedSoon(async () => {
    await apply(namespace(probe, runLabels(probe, 1)));
    await kubectl(["delete", "namespace", probe, "--timeout=60s"]);
  });
});

afterAll(async () => {
  await undo();
  await removeNamespace(TENANT_NAMESPACE);
  cluster.close();
});

const newRun = (): string => `count-${randomBytes(3).toString("hex")}`;

const configMap = (name: string, labels: object, data = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, labels },
  data,
});
const inNamespace = (run: string, object: ReturnType<typeof configMap>): object => ({
  ...object,
  metadata: { ...object.metadata, namespace: run },
});

test.concurrent("an object with an old fence is neither made nor changed, one with the present fence is, and all can be deleted", async ({
  onTestFinished,
}) => {
  const run = newRun();
  onTestFinished(() => removeNamespace(run));
  const fenced = { run, namespace: run, tenantNamespace: TENANT_NAMESPACE };
  const labels = (fence?: number): object => ({ ...MAYFLY, ...runLabels(run, fence) });
  const put = (name: string, given: object, data = {}): Promise<string> =>
    apply(inNamespace(run, configMap(name, given, data)));

  await apply(namespace(run, runLabels(run)));
  // By hand, without a lease, there is nothing to compare.
  expect(await tried(() => put("by-plan-file", labels()))).toBe("taken");

  await apply(namespace(run, runLabels(run, 1)));
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "work", namespace: run, labels: labels(1) },
    spec: {
      suspend: true,
      template: { spec: { restartPolicy: "Never", containers: [{ name: "work", image: "none" }] } },
    },
  };
  expect(await tried(() => put("files", labels(1)))).toBe("taken");
  expect(await tried(() => apply(job))).toBe("taken");

  await raiseFence(cluster, fenced, 2);
  const refused = /another helper works on this run: the object has fence 1, its namespace 2/;
  expect(await refusedSoon(() => put("stale", labels(1)))).toMatch(refused);
  expect(await tried(() => put("files", labels(1), { changed: "yes" }))).toMatch(refused);
  const resume = ["patch", "job/work", "--namespace", run, "--patch", '{"spec":{"suspend":false}}'];
  expect(await tried(() => kubectl(resume))).toMatch(refused);
  expect(await tried(() => put("bare", MAYFLY))).toMatch(/the object has fence none/);
  expect(await tried(() => apply(namespace(run, runLabels(run, 1))))).toMatch(
    /fence of its namespace is 2 and only grows/,
  );
  expect(await tried(() => kubectl(["label", "namespace", run, "mayfly.dev/fence-"]))).toMatch(/only grows/);
  expect(await tried(() => kubectl(["label", "namespace", run, "mayfly.dev/run-"]))).toMatch(
    /a namespace stays with its run/,
  );
  await expect(raiseFence(cluster, fenced, 1)).rejects.toMatchObject({ code: "lease-lost" });

  expect(await tried(() => put("new", labels(2)))).toBe("taken");
  expect(await tried(() => put("files", labels(2), { changed: "yes" }))).toBe("taken");
  expect(await tried(() => kubectl(["annotate", "namespace", run, "example.com/owner=ops"]))).toBe("taken");
  // What is not of Mayfly's making is nobody's business, and reading is free.
  expect(await tried(() => put("by-ops", { team: "ops" }))).toBe("taken");
  expect(await tried(() => kubectl(["get", "configmap", "files", "--namespace", run]))).toBe("taken");

  // Kubernetes puts a finalizer on the job with the old fence, and takes it off.
  const gone = ["delete", "job/work", "--namespace", run, "--cascade=foreground", "--timeout=30s"];
  expect(await tried(() => kubectl(gone))).toBe("taken");
  expect(await tried(() => kubectl(["delete", "namespace", run, "--timeout=60s"]))).toBe("taken");

  // The run is over, and somebody wakes up who was to begin with it.
  expect(await tried(() => apply(namespace(run, runLabels(run, 1))))).toMatch(
    /another helper works on this run: the namespace has fence 1, the run 2/,
  );
});

/** A small job's plan, as if made for the test's environment. */
async function planned(): Promise<Plan> {
  const text = await readFile(readConnection(labPaths()).contract, "utf8");
  const contract = { ...EnvironmentContract.parse(JSON.parse(text)), name: ENVIRONMENT };
  const spec = JobSpec.parse(parse(await readFile(await jobFile({}, 600), "utf8")));
  const result = planRun(spec, contract, { run: newRun(), attempt: 1 });
  if (!result.ok) throw new Error(result.refusal.message);
  return result.plan;
}

const Objects = z.object({
  items: z.array(
    z.object({
      kind: z.string(),
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        labels: z.record(z.string(), z.string()).default({}),
      }),
    }),
  ),
});

async function objects(plan: Plan, kinds: string): Promise<z.infer<typeof Objects>["items"]> {
  const selector = `mayfly.dev/run=${plan.run}`;
  return Objects.parse(
    JSON.parse(
      await kubectl([
        "get",
        kinds,
        "--namespace",
        plan.namespace,
        "--selector",
        selector,
        "--output",
        "json",
      ]),
    ),
  ).items;
}

const FENCED =
  "configmaps,secrets,serviceaccounts,services,resourcequotas,limitranges,networkpolicies,statefulsets,jobs,poddisruptionbudgets";

test.concurrent("a stale helper's Pulumi makes no namespace and changes nothing; the new holder's makes, takes over without a restart, and destroys", async ({
  onTestFinished,
}) => {
  const plan = await planned();
  const fenced = { run: plan.run, namespace: plan.namespace, tenantNamespace: TENANT_NAMESPACE };
  const state = await mkdtemp(join(tmpdir(), "mayfly-fence-"));
  const connection = readConnection(labPaths());
  const engine = startEngine({
    ...connection,
    pulumi: { ...connection.pulumi, backendUrl: `file://${state}` },
  });
  onTestFinished(async () => {
    await engine.close();
    await removeNamespace(plan.namespace);
    rmSync(state, { recursive: true, force: true });
  });
  /** What the engine's failure says; it must be the fence's. */
  const fencedOff = async (work: Promise<void>): Promise<string> => {
    const error: unknown = await work.catch((caught: unknown) => caught);
    if (!(error instanceof EngineFailure)) throw new Error(`not refused: ${String(error)}`);
    expect([error.message, isFencedOff(error.error)]).toEqual([error.message, true]);
    return error.message;
  };

  await engine.create(plan);
  // Taken over before anything was there.
  await raiseFence(cluster, fenced, 2);
  expect(await fencedOff(engine.up(plan, { fence: 1 }))).toContain(
    "another helper works on this run: the namespace has fence 1, the run 2",
  );
  expect(await kubectl(["get", "namespace", plan.namespace, "--ignore-not-found"])).toBe("");

  await engine.up(plan, { fence: 2 });
  const made = await objects(plan, FENCED);
  expect(made.map(({ kind, metadata }) => [kind, metadata.labels["mayfly.dev/fence"]])).toEqual(
    made.map(({ kind }) => [kind, "2"]),
  );
  const pods = await eventually("pods", async () => {
    const found = await objects(plan, "pods");
    return found.length === 2 ? found : undefined;
  });
  expect(pods.filter(({ metadata }) => "mayfly.dev/fence" in metadata.labels)).toEqual([]);

  // Taken over while it runs.
  await raiseFence(cluster, fenced, 3);
  const changed: Plan = { ...plan, egress: plan.egress.slice(0, 1) };
  expect(await fencedOff(engine.up(changed, { fence: 2 }))).toMatch(/another helper works on this run/);

  await engine.up(plan, { fence: 3 });
  const taken = await objects(plan, FENCED);
  expect(taken.map(({ metadata }) => [metadata.uid, metadata.labels["mayfly.dev/fence"]])).toEqual(
    // What the plan's size may change can be; all else stays as it was made (FENCE_STAYS in components/core/labels.ts).
    made.map(({ kind, metadata }) => [
      metadata.uid,
      kind === "ResourceQuota" || kind === "StatefulSet" ? "3" : "2",
    ]),
  );
  const after = await objects(plan, "pods");
  expect(after.map(({ metadata }) => metadata.uid).sort()).toEqual(
    pods.map(({ metadata }) => metadata.uid).sort(),
  );

  // As a removal does it (jobs/run/removal.ts).
  expect(await removeRunsNamespace(cluster, plan)).toBe(true);
  await engine.destroy(plan.stack);
  expect(await kubectl(["get", "namespace", plan.namespace, "--ignore-not-found"])).toBe("");
  await engine.remove(plan.stack);
});

test("a fence that somebody has taken away is missed before anything is made", async () => {
  const policies = [`mayfly-${ENVIRONMENT}-fence-objects`, `mayfly-${ENVIRONMENT}-fence-namespaces`];
  await expect(checkFence(cluster, policies)).resolves.toBeUndefined();
  await kubectl(["delete", "validatingadmissionpolicybinding", `mayfly-${ENVIRONMENT}-fence-objects`]);
  await expect(checkFence(cluster, policies)).rejects.toMatchObject({
    code: "fence-missing",
    message: expect.stringContaining("is not bound") as string,
  });
});

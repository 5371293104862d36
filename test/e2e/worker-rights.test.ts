// What a worker's service account can do on a real cluster, and what it can't: by its token, not by reading rules.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { LocalWorkspace, Stack } from "@pulumi/pulumi/automation/index.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { execute } from "../../base/process.ts";
import { FencePolicy } from "../../components/platform/fence-policy.ts";
import { StateRoles } from "../../components/platform/state-roles.ts";
import { Worker } from "../../components/platform/worker.ts";
import { TenantNamespace } from "../../components/tenants/namespace.ts";
import { programOf } from "../../jobs/engine/program.ts";
import { acquireLease, holderName } from "../../jobs/lease/index.ts";
import { planRun, rescaledPlan } from "../../jobs/plan/index.ts";
import { raiseFence } from "../../jobs/watch/fence.ts";
import {
  type Cluster,
  checkCluster,
  checkFence,
  checkSecrets,
  deliverSecrets,
  findLeftovers,
  namespaceState,
  observePods,
  openCluster,
  removeNamespace,
  waitGone,
  watchRun,
} from "../../jobs/watch/index.ts";
import { leasePort } from "../../jobs/watch/lease-api.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { FlinkStreamJob } from "../../schema/job.ts";
import { FlinkPlan } from "../../schema/plan.ts";
import { type Scratch, scratchProject } from "../harness/lab-pulumi.ts";
import { CONTRACTS } from "../harness/samples.ts";
import { apply, eventually, kubectl, labEnvironment, temporaryNamespace } from "../lab/pods.ts";

const ENVIRONMENT = "worker-rights-test";
const NAMESPACE = "mayfly-worker-rights-test";
const TENANT = "hooli";
const RUN = `pi-${randomBytes(4).toString("hex")}`;
const FENCE_POLICIES = ["fence-objects", "fence-namespaces"].map((name) => `mayfly-${ENVIRONMENT}-${name}`);
const LABELS = {
  "app.kubernetes.io/managed-by": "mayfly",
  "app.kubernetes.io/part-of": "mayfly",
  "mayfly.dev/environment": ENVIRONMENT,
  "mayfly.dev/class": "lab",
};

/** As much of an environment as a worker's rights need. Its pods find no node: it is the account that matters here. */
const environment = async (): Promise<void> => {
  const provider = new kubernetes.Provider("kubernetes", {});
  const tenant = new TenantNamespace(`tenant-${TENANT}`, {
    tenant: TENANT,
    labels: { ...LABELS, "mayfly.dev/tenant": TENANT },
    provider,
  });
  const fence = new FencePolicy("fence", { environment: ENVIRONMENT, labels: LABELS, provider });
  const roles = new StateRoles("state-roles", { environment: ENVIRONMENT, labels: LABELS, provider });
  new Worker("worker", {
    namespace: NAMESPACE,
    environment: ENVIRONMENT,
    image: { reference: "mayfly.dev/worker:none", pullPolicy: "Never" },
    replicas: 1,
    slots: 1,
    secret: "mayfly-worker",
    s3: "secret",
    ledger: "postgres://mayfly@127.0.0.1:5432/mayfly",
    documents: { "connection.json": "{}" },
    egress: [],
    tenants: [{ id: TENANT, namespace: tenant.namespaceName }],
    fencePolicies: fence.policies,
    stateRoles: pulumi.all([roles.coordinator, roles.workers]),
    placement: { nodeSelector: { "mayfly.dev/pool": "nowhere" }, tolerations: [] },
    labels: LABELS,
    provider,
  });
  await Promise.resolve();
};

const contract = (): EnvironmentContract =>
  EnvironmentContract.parse({
    ...CONTRACTS.lab,
    name: ENVIRONMENT,
    tenants: CONTRACTS.lab.tenants.map((tenant) => ({
      ...tenant,
      id: TENANT,
      namespace: `tenant-${TENANT}`,
      allowHighAvailability: true,
    })),
    highAvailability: {
      roles: {
        coordinator: `mayfly-${ENVIRONMENT}-state-writer`,
        workers: `mayfly-${ENVIRONMENT}-state-reader`,
      },
      api: {
        name: "kubernetes-api",
        peers: [{ kind: "cidr", cidr: "10.244.0.1/32", except: [] }],
        ports: [{ protocol: "TCP", port: 6443 }],
      },
    },
    pools: CONTRACTS.lab.pools.map((pool) => ({
      ...pool,
      allocatable: { ...pool.allocatable, cpu: 16_000 },
      nodeSelector: { "mayfly.dev/pool": "nowhere" },
    })),
  });

/** A stream with high availability has all that other runs have, and more. */
const spec = FlinkStreamJob.parse({
  apiVersion: "mayfly.dev/v1",
  name: "pi",
  tenant: TENANT,
  engine: "flink",
  version: "2.3",
  kind: "stream",
  application: { kind: "jar", file: "s3://demo-code/pi.jar", mainClass: "com.hooli.Pi" },
  taskManagers: { count: 1 },
  checkpoints: { location: "s3://demo-output/state/" },
  highAvailability: "kubernetes",
});

/** A run whose pods find no node either. */
function planned(): FlinkPlan {
  const result = planRun(spec, contract(), { run: RUN, attempt: 1 });
  if (!result.ok) throw new Error(result.refusal.message);
  return FlinkPlan.parse(result.plan);
}

function larger(plan: FlinkPlan): FlinkPlan {
  const result = rescaledPlan(plan, spec, contract(), { taskManagers: 3, parallelism: 3 });
  if (!result.ok) throw new Error(result.refusal.message);
  return result.plan;
}

let scratch: Scratch;
let stack: Stack;
let folder: string;
/** Holds the account's token and no other identity. */
let kubeconfig: string;
let worker: Cluster;
/** Somebody else's namespace, with a Secret in it. */
let foreign: Awaited<ReturnType<typeof temporaryNamespace>>;

beforeAll(async () => {
  scratch = await scratchProject({
    "Pulumi.yaml": JSON.stringify({ name: "worker-rights", runtime: "nodejs" }),
  });
  stack = await Stack.create("test", await scratch.workspace(environment));
  await stack.up({ color: "never" });
  folder = await mkdtemp(join(tmpdir(), "mayfly-test-"));
  kubeconfig = join(folder, "kubeconfig");
  const Config = z.object({ clusters: z.array(z.looseObject({ name: z.string() })).min(1) });
  const { clusters } = Config.parse(JSON.parse(await kubectl(["config", "view", "--raw", "-o", "json"])));
  const token = (await kubectl(["create", "token", "worker", "--namespace", NAMESPACE])).trim();
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters,
      users: [{ name: "worker", user: { token } }],
      contexts: [{ name: "worker", context: { cluster: clusters[0]?.name, user: "worker" } }],
      "current-context": "worker",
    }),
    { mode: 0o600 },
  );
  worker = await openCluster(kubeconfig);
  foreign = await temporaryNamespace("rights");
  const secret = (namespace: string, name: string) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace },
    stringData: { "access-key-id": "AKIAHOOLI", "secret-access-key": "nucleus" },
  });
  await apply(secret(foreign.name, "theirs"), secret(`tenant-${TENANT}`, "s3-identity"));
});

afterAll(async () => {
  worker.close();
  await foreign.remove();
  await kubectl(["delete", "namespace", `--selector=mayfly.dev/environment=${ENVIRONMENT},mayfly.dev/run`]);
  await stack.destroy({ color: "never" });
  await rm(folder, { recursive: true, force: true });
  await scratch[Symbol.asyncDispose]();
  for (const kind of ["namespace", "clusterrole", "clusterrolebinding", "validatingadmissionpolicy"])
    expect(
      await kubectl(["get", kind, `--selector=mayfly.dev/environment=${ENVIRONMENT}`, "-o", "name"]),
    ).toBe("");
});

/** What the API server says to the worker's account: `allowed`, or why not. */
async function attempt(args: readonly string[], object?: object): Promise<string> {
  const { code, stdout, stderr } = await execute("kubectl", ["--kubeconfig", kubeconfig, ...args], {
    env: labEnvironment(),
    ...(object === undefined ? {} : { input: JSON.stringify(object) }),
  });
  return code === 0 ? `allowed: ${stdout.trim()}` : `refused: ${stderr.trim()}`;
}

const FORBIDDEN = /^refused: .*(is forbidden|Forbidden)/s;
const create = ["create", "--filename", "-"];

test("a worker's pods are admitted where Pod Security enforces restricted", async () => {
  const pods = ["get", "pods", "--namespace", NAMESPACE, "-o", "jsonpath={.items[*].status.phase}"];
  expect(
    await eventually("pod of the worker", async () => {
      const phase = await kubectl(pods);
      return phase === "" ? undefined : phase;
    }),
  ).toBe("Pending");
});

describe("a worker's account", () => {
  const plan = planned();
  const { namespace } = plan;

  test("can make a run's cluster with Pulumi, put its secrets there, watch it, and remove all of it", async () => {
    const signal = AbortSignal.timeout(120_000);
    await checkCluster(worker);
    await checkFence(worker, FENCE_POLICIES);
    await checkSecrets(worker, plan);
    const port = leasePort(worker, {
      namespace: `tenant-${TENANT}`,
      run: RUN,
      labels: { ...LABELS, "mayfly.dev/run": RUN, "mayfly.dev/tenant": TENANT, "mayfly.dev/job": "pi" },
    });
    const lease = await acquireLease(port, {
      run: RUN,
      holder: holderName("test", 1, randomBytes(4)),
      signal,
    });
    await raiseFence(worker, { run: RUN, namespace, tenantNamespace: `tenant-${TENANT}` }, lease.fence);

    const env = { ...scratch.env, KUBECONFIG: kubeconfig };
    const workspace = await LocalWorkspace.create({
      workDir: scratch.folder,
      envVars: env,
      program: programOf(plan, lease.fence),
    });
    const run = await Stack.create("run", workspace);
    await Promise.all([
      run.up({ color: "never" }),
      deliverSecrets(worker, plan, { signal, fence: lease.fence }),
    ]);
    expect(await namespaceState(worker, namespace)).toMatchObject({ kind: "ours", run: RUN });
    expect(
      await kubectl(["get", "secrets", "--namespace", namespace, "-o", "jsonpath={.items[*].metadata.name}"]),
    ).toBe("authentication s3-identity");
    await eventually("pods", async () =>
      Object.keys((await observePods(worker, namespace)).pods).length >= 2 ? true : undefined,
    );
    const warnings: string[] = [];
    await watchRun(worker, plan, {
      startedAt: new Date(),
      signal: AbortSignal.timeout(2000),
      sink: { warning: (message) => warnings.push(message) },
    });
    expect(warnings).toEqual([]);

    await refusals(namespace);

    // Under another fence, as after a worker took it over from another.
    const tenantNamespace = `tenant-${TENANT}`;
    await raiseFence(worker, { run: RUN, namespace, tenantNamespace }, lease.fence + 1);
    run.workspace.program = programOf(larger(plan), lease.fence + 1);
    const changed: string[] = [];
    await run.up({
      color: "never",
      onEvent: ({ resOutputsEvent }) => {
        const { op, type } = resOutputsEvent?.metadata ?? {};
        if (op !== undefined && op !== "same" && type?.startsWith("kubernetes:") === true)
          changed.push(`${op} ${type}`);
      },
    });
    expect(changed.sort()).toEqual([
      "update kubernetes:apps/v1:StatefulSet",
      "update kubernetes:core/v1:ResourceQuota",
    ]);

    expect(await removeNamespace(worker, plan)).toBe(true);
    await run.destroy({ color: "never" });
    expect(await waitGone(worker, namespace, signal)).toEqual([]);
    const { objects, unknown } = await findLeftovers(worker, plan);
    expect(objects).toEqual([]);
    expect(unknown).toEqual([expect.stringMatching(/^kinds that this account may not list: .* more$/)]);
    expect(await lease.release({ remove: true })).toBe("released");
  });

  /** Within a run's namespace, which it may fill, it may not do everything. */
  async function refusals(runs: string): Promise<void> {
    const pod = {
      automountServiceAccountToken: true,
      restartPolicy: "Never",
      containers: [{ name: "c", image: "mayfly.dev/none:1" }],
    };
    const job = (spec: object) => ({
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "mine", namespace: runs },
      spec: { template: { spec } },
    });
    expect(await attempt(create, job(pod))).toMatch(/pods of a run get no token/);
    const service = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "mine", namespace: runs },
      spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
    };
    expect(await attempt(create, service)).toMatch(/services of a run are of type ClusterIP/);
    const external = { ...service, spec: { ports: [{ port: 80 }], externalIPs: ["192.0.2.1"] } };
    expect(await attempt(create, external)).toMatch(/services of a run are of type ClusterIP/);
    for (const label of [
      // Not the run: that the fence refuses too, and one of both is told.
      "mayfly.dev/job=other",
      "mayfly.dev/tenant=acme",
      "pod-security.kubernetes.io/enforce=privileged",
      "app.kubernetes.io/managed-by-",
    ]) {
      expect(await attempt(["label", "namespace", runs, label, "--overwrite"]), label).toMatch(
        /may change no label of a namespace/,
      );
    }
    expect(await attempt(["annotate", "namespace", runs, "acme.com/x=1"])).toMatch(
      /may change no annotation/,
    );
    const binding = (role: string, namespace: string) => ({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: { name: "mine", namespace: runs },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
    });
    expect(await attempt(create, binding("cluster-admin", runs))).toMatch(
      /attempting to grant RBAC permissions not currently held/,
    );
    expect(await attempt(create, binding(`mayfly-${ENVIRONMENT}-state-writer`, foreign.name))).toMatch(
      /to its own service accounts only/,
    );
    const name = await kubectl([
      ...["get", "pods", "--namespace", runs],
      ...["-o", "jsonpath={.items[0].metadata.name}"],
    ]);
    for (const read of [
      ["get", "secret", "authentication"],
      ["get", "configmap", "files"],
      ["get", "secrets"],
      ["exec", name, "--", "id"],
      ["delete", "pod", name],
      ["create", "token", "runner"],
    ]) {
      expect(await attempt(["--namespace", runs, ...read]), read.join(" ")).toMatch(FORBIDDEN);
    }
    // What a forward may: the pod, which has no node, can't take it.
    const forward = (namespace: string): string[] => [
      ...["create", "--filename", "-"],
      ...["--raw", `/api/v1/namespaces/${namespace}/pods/${name}/portforward`],
    ];
    expect(await attempt(forward(runs), {})).not.toMatch(FORBIDDEN);
    expect(await attempt(forward(NAMESPACE), {})).toMatch(/namespaces of runs of environment/);
  }

  test("makes namespaces for runs of this environment's tenants only", async () => {
    const labels = {
      ...LABELS,
      "mayfly.dev/role": "run",
      "mayfly.dev/run": "x",
      "mayfly.dev/tenant": TENANT,
      "pod-security.kubernetes.io/enforce": "restricted",
    };
    const make = async (name: string, changes: Readonly<Record<string, string>>): Promise<string> =>
      await attempt([...create, "--dry-run=server"], {
        apiVersion: "v1",
        kind: "Namespace",
        metadata: { name, labels: { ...labels, ...changes } },
      });
    // The control: it is the one thing that is changed below that is refused.
    expect(await make(`${TENANT}-x`, {})).toMatch(/^allowed/);
    const refused: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
      [`${TENANT}-x`, { "mayfly.dev/role": "tenant" }, /namespaces of runs of environment/],
      [`${TENANT}-x`, { "mayfly.dev/environment": "prod" }, /namespaces of runs of environment/],
      [`${TENANT}-x`, { "mayfly.dev/run": "" }, /namespaces of runs of environment/],
      [`${TENANT}-x`, { "app.kubernetes.io/managed-by": "helm" }, /namespaces of runs of environment/],
      ["kube-backup", {}, /a name that begins with it/],
      [`tenant-${TENANT}-x`, {}, /a name that begins with it/],
      ["acme-x", { "mayfly.dev/tenant": "acme" }, /one of the environment's tenants/],
      [`${TENANT}-x`, { "pod-security.kubernetes.io/enforce": "baseline" }, /Pod Security restricted/],
    ];
    for (const [name, changes, why] of refused)
      expect(await make(name, changes), `${name} ${JSON.stringify(changes)}`).toMatch(why);
  });

  test("leaves other namespaces, and what is in them, alone", async () => {
    const only = /namespaces of runs of environment/;
    const into = ["--namespace", foreign.name];
    expect(await attempt(["delete", "namespace", foreign.name])).toMatch(only);
    expect(await attempt(["delete", "namespace", `tenant-${TENANT}`])).toMatch(only);
    expect(await attempt(["label", "namespace", foreign.name, "mayfly.dev/run=x"])).toMatch(only);
    expect(await attempt(["label", "namespace", "kube-system", "mayfly.dev/run=x"])).toMatch(only);
    expect(
      await attempt(["label", "namespace", `tenant-${TENANT}`, "mayfly.dev/role=run", "--overwrite"]),
    ).toMatch(/may change no label of a namespace/);
    expect(await attempt(["annotate", "namespace", `tenant-${TENANT}`, "acme.com/x=1"])).toMatch(
      /may change no annotation/,
    );
    const config = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "mine", namespace: foreign.name },
    };
    expect(await attempt(create, config)).toMatch(only);
    expect(await attempt([...into, "create", "serviceaccount", "mine"])).toMatch(only);
    expect(await attempt(["--namespace", NAMESPACE, "create", "serviceaccount", "mine"])).toMatch(only);
    expect(await attempt(["--namespace", "kube-system", "create", "serviceaccount", "mine"])).toMatch(only);
    const job = {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "mine", namespace: "kube-system" },
      spec: {
        template: {
          spec: {
            automountServiceAccountToken: false,
            restartPolicy: "Never",
            containers: [{ name: "c", image: "mayfly.dev/none:1" }],
          },
        },
      },
    };
    expect(await attempt(create, job)).toMatch(only);
  });

  test("gets no Secret by patching it", async () => {
    // Answered with the whole object, were it let through.
    const empty = { apiVersion: "v1", kind: "Secret", metadata: { name: "theirs", namespace: foreign.name } };
    for (const how of [
      ["apply", "--server-side", "--force-conflicts", "--filename", "-", "-o", "yaml"],
      ["apply", "--server-side", "--dry-run=server", "--filename", "-", "-o", "yaml"],
    ]) {
      const said = await attempt(how, empty);
      expect(said).toMatch(/namespaces of runs of environment/);
      expect(said).not.toMatch(/nucleus|bnVjbGV1cw/);
    }
    const patch = [
      "patch",
      "secret",
      "theirs",
      "--namespace",
      foreign.name,
      "--type=merge",
      "-p",
      "{}",
      "-o",
      "yaml",
    ];
    const said = await attempt(patch);
    expect(said).toMatch(/^refused/);
    expect(said).not.toMatch(/nucleus|bnVjbGV1cw/);
  });

  test("in its tenants' namespaces reads Secrets by name, and makes nothing but leases", async () => {
    const tenants = ["--namespace", `tenant-${TENANT}`];
    expect(await attempt([...tenants, "get", "secret", "s3-identity", "-o", "name"])).toBe(
      "allowed: secret/s3-identity",
    );
    expect(await attempt([...tenants, "get", "secrets"])).toMatch(FORBIDDEN);
    expect(await attempt([...tenants, "create", "configmap", "mine"])).toMatch(
      /namespaces of runs of environment/,
    );
    expect(await attempt(["--namespace", "tenant-demo", "get", "secret", "s3-identity"])).toMatch(FORBIDDEN);
    expect(await attempt(["--namespace", "kube-system", "get", "leases"])).toMatch(FORBIDDEN);
  });

  test.each([
    ["read Secrets of the cluster", ["get", "secrets", "--all-namespaces"]],
    ["read files of the cluster", ["get", "configmaps", "--all-namespaces"]],
    ["see nodes", ["get", "nodes"]],
    ["go to kubelets", ["get", "--raw", "/api/v1/nodes/mayfly-lab/proxy/metrics/resource"]],
    ["run pods of its own", ["run", "mine", "--image=mayfly.dev/none:1"]],
    ["start a Deployment", ["create", "deployment", "mine", "--image=mayfly.dev/none:1"]],
    ["give rights", ["create", "rolebinding", "mine", "--clusterrole=admin", "--user=me"]],
    [
      "give rights in the whole cluster",
      ["create", "clusterrolebinding", "mine", "--clusterrole=cluster-admin", "--user=me"],
    ],
    ["widen its own", ["patch", "clusterrole", NAMESPACE, "--type=merge", "-p", '{"rules":[]}']],
    ["loosen the policies", ["delete", "validatingadmissionpolicybinding", `${NAMESPACE}-objects`]],
    ["look at other policies", ["get", "validatingadmissionpolicies"]],
    ["be somebody else", ["get", "namespaces", "--as=system:admin"]],
    ["make tokens", ["create", "token", "worker", "--namespace", NAMESPACE]],
    ["see its own Secret by the API", ["get", "secret", "mayfly-worker", "--namespace", NAMESPACE]],
  ])("can't %s", async (_what, args) => {
    expect(await attempt(args)).toMatch(FORBIDDEN);
  });
});

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { startEngine } from "../../jobs/engine/index.ts";
import { type Ledger, openLedger, type RunPatch } from "../../jobs/ledger/index.ts";
import { planRun, runId } from "../../jobs/plan/index.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { labStore } from "../../lab/store.ts";
import { Connection } from "../../schema/connection.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import { apply, kubectl } from "../lab/pods.ts";

const GRACE_MS = 3000;

const Document = z.object({
  orphans: z.array(
    z.object({
      kind: z.string(),
      name: z.string(),
      run: z.string().optional(),
      ofRun: z.string(),
      fate: z.string(),
      problem: z.string().optional(),
    }),
  ),
  remarks: z.array(z.string()),
});
type Found = z.infer<typeof Document>["orphans"];

const told = (orphans: Found): string[] =>
  orphans.map(
    ({ kind, name, fate, problem }) =>
      `${kind} ${name} ${fate}${problem === undefined ? "" : `: ${problem}`}`,
  );

/** An environment of its own on the lab's cluster: what other tests do there at the same time is none of ours. */
async function scene(backendUrl?: string) {
  const root = await mkdtemp(join(tmpdir(), "mayfly-reap-"));
  const lab = readConnection(labPaths());
  const name = `reap-${randomBytes(3).toString("hex")}`;
  const tenantNamespace = `tenant-${name}`;
  const theirs = EnvironmentContract.parse(JSON.parse(await readFile(lab.contract, "utf8")));
  const contract: EnvironmentContract = {
    ...theirs,
    name,
    tenants: theirs.tenants.map((tenant) => ({ ...tenant, namespace: tenantNamespace })),
  };
  const state = join(root, "pulumi");
  const paths = { contract: join(root, "contract.json"), connection: join(root, "connection.json") };
  const connection = Connection.parse({
    ...lab,
    ...{
      name,
      contract: paths.contract,
      pulumi: { ...lab.pulumi, backendUrl: backendUrl ?? `file://${state}` },
    },
  });
  await mkdir(state);
  await writeFile(paths.contract, JSON.stringify(contract));
  await writeFile(paths.connection, JSON.stringify(connection));
  const url = `sqlite://${join(root, "ledger.sqlite")}`;
  const ledger = await openLedger(url);
  const label = `mayfly.dev/environment=${name}`;
  onTestFinished(async () => {
    await ledger.close();
    await kubectl(["delete", "namespaces", "--selector", label, "--wait=false"]);
    await rm(root, { recursive: true, force: true });
  }, 60_000);
  const env = childEnv({
    XDG_STATE_HOME: join(root, "state"),
    MAYFLY_LEDGER: url,
    PATH: process.env["PATH"] ?? "",
  });
  const spec = JobSpec.parse(parse(await readFile(join(projectDir, "examples", "pi", "job.yaml"), "utf8")));
  return {
    ...{ root, state, connection, ledger, label, tenantNamespace, environment: name },
    work: join(root, "state", "mayfly", "work"),
    namespaces: async () =>
      (await kubectl(["get", "namespaces", "--selector", label, "--output", "name"]))
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => line.replace("namespace/", ""))
        .toSorted(),
    plan: (): Plan => {
      const run = runId("pi", Date.now(), randomBytes(5));
      const result = planRun(spec, contract, { run, attempt: 1 });
      if (!result.ok) throw new Error(result.refusal.message);
      return result.plan;
    },
    /** Puts a run into the ledger as a helper does; with a patch, as it left it. */
    record: async ({ run, stack, namespace, ...plan }: Plan, patch?: RunPatch): Promise<void> => {
      await ledger.submit({
        run,
        spec,
        environment: name,
        connection: paths.connection,
        holder: "elsewhere/1/0",
      });
      const full = { ...plan, run, stack, namespace };
      await ledger.update(run, 1, { state: "running", attempt: 1, plan: full, ...patch });
    },
    reap: async (...args: string[]) => {
      const given = [
        "reap",
        "--json",
        "--grace",
        `${GRACE_MS / 1000}s`,
        "--connection",
        paths.connection,
        ...args,
      ];
      const { code, stdout, stderr } = await execute(join(projectDir, "bin", "mayfly"), given, {
        cwd: projectDir,
        env,
      });
      const parsed = Document.safeParse(JSON.parse(stdout));
      if (!parsed.success) throw new Error(`${stdout}\n${stderr}`);
      return { code, ...parsed.data };
    },
  };
}

const HOUR_AGO = new Date(Date.now() - 3_600_000).toISOString();
const ENDED: RunPatch = {
  state: "failed",
  endedAt: HOUR_AGO,
  outcome: { kind: "lost", message: "The node went away." },
};

const namespaceOf = ({ namespace, labels }: Plan, without?: string): object => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: {
    name: namespace,
    labels: Object.fromEntries(
      Object.entries({ ...labels, "mayfly.dev/role": "run" }).filter(([key]) => key !== without),
    ),
  },
});

const old = async (): Promise<void> => {
  // The API server's times are in whole seconds.
  await sleep(GRACE_MS + 1500);
};

const stacksIn = async (state: string): Promise<string[]> =>
  (await readdir(join(state, ".pulumi", "stacks", "mayfly-job"))).filter((file) => file.endsWith(".json"));

async function engineIn<T>(
  connection: Connection,
  work: (engine: ReturnType<typeof startEngine>) => Promise<T>,
): Promise<T> {
  const engine = startEngine(connection);
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

test("of three planted orphans, a foreign namespace, a tenant's and a live run's, exactly the three are listed and removed", async () => {
  const place = await scene();
  const [ended, unknown, stackOnly, foreign, live] = [
    place.plan(),
    place.plan(),
    place.plan(),
    place.plan(),
    place.plan(),
  ];
  await place.record(ended, ENDED);
  await place.record(live);
  await engineIn(place.connection, async (engine) => {
    await engine.create(stackOnly);
    await engine.create(live);
  });
  await apply(
    namespaceOf(ended),
    namespaceOf(unknown),
    namespaceOf(foreign, "app.kubernetes.io/managed-by"),
    namespaceOf(live),
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: place.tenantNamespace,
        labels: {
          "app.kubernetes.io/managed-by": "mayfly",
          "mayfly.dev/environment": place.environment,
          "mayfly.dev/role": "tenant",
          "mayfly.dev/tenant": "demo",
        },
      },
    },
  );
  await old();
  const young = place.plan();
  await apply(namespaceOf(young));

  const three = [
    `stack ${stackOnly.stack}`,
    `namespace ${ended.namespace}`,
    `namespace ${unknown.namespace}`,
  ];
  const shown = await place.reap();
  expect(told(shown.orphans).toSorted()).toEqual(three.map((line) => `${line} kept`).toSorted());
  expect(shown.code).toBe(22);

  // What this ledger never knew may be another ledger's: it is removed only when asked for by name.
  const careful = await place.reap("--yes");
  expect(told(careful.orphans).toSorted()).toEqual(
    [
      `namespace ${ended.namespace} removed`,
      `namespace ${unknown.namespace} kept`,
      `stack ${stackOnly.stack} kept`,
    ].toSorted(),
  );
  expect(careful.code).toBe(22);

  // The young namespace has grown up meanwhile: it goes too, so that it be seen that nothing but its age kept it.
  await old();
  const all = await place.reap("--yes", "--unknown");
  expect(told(all.orphans).toSorted()).toEqual(
    [
      `namespace ${unknown.namespace} removed`,
      `namespace ${young.namespace} removed`,
      `stack ${stackOnly.stack} removed`,
    ].toSorted(),
  );
  expect(all.code).toBe(0);
  expect(await place.namespaces()).toEqual(
    [foreign.namespace, live.namespace, place.tenantNamespace].toSorted(),
  );
  expect(await stacksIn(place.state)).toEqual([`${live.stack}.json`]);
  expect(await place.reap()).toMatchObject({ code: 0, orphans: [] });
});

async function plantLocks(state: string, stack: string, pid: number): Promise<string> {
  const folder = join(state, ".pulumi", "locks", "organization", "mayfly-job", stack);
  await mkdir(folder, { recursive: true });
  const owner = { pid, username: "root", hostname: hostname(), timestamp: HOUR_AGO };
  await writeFile(join(folder, `${"0".repeat(8)}.json`), JSON.stringify(owner));
  return folder;
}

const leaseOf = ({ run, labels }: Plan, namespace: string, renewTime: string): object => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name: run, namespace, labels },
  spec: { holderIdentity: "elsewhere/1/ab", leaseDurationSeconds: 30, leaseTransitions: 0, renewTime },
});

const micro = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

const leftOf = async (ledger: Ledger, run: string): Promise<readonly string[]> =>
  (await ledger.get(run)).left;

test("a run that ended with everything left: stack, objects, locks, lease, broken state and folder go; a held lease protects", async () => {
  const place = await scene();
  const [lost, broken, held] = [place.plan(), place.plan(), place.plan()];
  for (const plan of [lost, broken, held])
    await place.record(plan, { ...ENDED, left: [`Stack ${plan.stack} (planted)`] });
  await apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: place.tenantNamespace, labels: { "mayfly.dev/environment": place.environment } },
  });
  await engineIn(place.connection, async (engine) => {
    for (const plan of [lost, broken, held]) await engine.create(plan);
    await engine.up(lost);
  });
  expect(await kubectl(["get", "jobs", "--namespace", lost.namespace, "--output", "name"])).not.toBe("");
  const file = join(place.state, ".pulumi", "stacks", "mayfly-job", `${broken.stack}.json`);
  await writeFile(file, (await readFile(file, "utf8")).slice(0, 20));
  // No process has this id: https://man7.org/linux/man-pages/man5/proc_sys_kernel.5.html (pid_max is 2^22 at most)
  const dead = 2 ** 22 + 1;
  await plantLocks(place.state, lost.stack, dead);
  const gone = place.plan();
  await place.record(gone, ENDED);
  await plantLocks(place.state, gone.stack, dead);
  await apply(
    leaseOf(lost, place.tenantNamespace, micro(Date.now() - 600_000)),
    leaseOf(held, place.tenantNamespace, micro(Date.now())),
  );
  await mkdir(join(place.work, `${lost.stack.slice(-40)}-a1B2c3`), { recursive: true });
  await old();

  const expected = [
    `stack ${lost.stack}`,
    `state ${broken.stack}`,
    `namespace ${lost.namespace}`,
    `lease ${place.tenantNamespace}/${lost.run}`,
    `lock ${gone.stack}`,
    `folder ${lost.stack.slice(-40)}-a1B2c3`,
  ];
  expect(told((await place.reap()).orphans)).toEqual(expected.map((line) => `${line} kept`));
  const removed = await place.reap("--yes");
  expect(told(removed.orphans)).toEqual(expected.map((line) => `${line} removed`));
  expect(removed).toMatchObject({ code: 0, remarks: [] });

  expect(await place.namespaces()).toEqual([place.tenantNamespace]);
  expect(await stacksIn(place.state)).toEqual([`${held.stack}.json`]);
  expect(await readdir(place.work)).toEqual([]);
  const leases = ["get", "leases", "--namespace", place.tenantNamespace, "--output", "name"];
  expect((await kubectl(leases)).trim()).toBe(`lease.coordination.k8s.io/${held.run}`);
  // Nothing is left of it, and the ledger knows.
  expect(await leftOf(place.ledger, lost.run)).toEqual([]);
  expect(await leftOf(place.ledger, held.run)).toHaveLength(1);
});

test("the same with Pulumi's state in S3", async () => {
  const { s3 } = readConnection(labPaths());
  const folder = `reap-${randomBytes(3).toString("hex")}`;
  const query = `region=${s3.region}&endpoint=${s3.endpoint}&use_path_style=true`;
  const place = await scene(`s3://mayfly-logs/${folder}?${query}`);
  const store = await labStore();
  onTestFinished(async () => {
    await store.clear("mayfly-logs", `${folder}/`);
  });
  const [lost, broken, live] = [place.plan(), place.plan(), place.plan()];
  await place.record(lost, ENDED);
  await place.record(broken, ENDED);
  await place.record(live);
  await engineIn(place.connection, async (engine) => {
    for (const plan of [lost, broken, live]) await engine.create(plan);
  });
  const stacks = `${folder}/.pulumi/stacks/mayfly-job/`;
  await store.put("mayfly-logs", `${stacks}${broken.stack}.json`, Buffer.from("{"));
  await apply({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: place.tenantNamespace, labels: { "mayfly.dev/environment": place.environment } },
  });
  await old();
  expect(await place.reap("--yes")).toMatchObject({
    code: 0,
    orphans: [
      { kind: "stack", name: lost.stack, run: lost.run, fate: "removed" },
      { kind: "state", name: broken.stack, run: broken.run, fate: "removed" },
    ],
    remarks: [],
  });
  const left = (await store.list("mayfly-logs", stacks)).map((key) => key.slice(stacks.length));
  expect(left.filter((key) => key.endsWith(".json"))).toEqual([`${live.stack}.json`]);
});

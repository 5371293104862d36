// Workers in pods of the lab's own cluster: this machine only submits, by the ledger that it shares with them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { labUp } from "../../lab/index.ts";
import { labPaths } from "../../lab/paths.ts";
import { labStore } from "../../lab/store.ts";
import { WORKER } from "../../lab/worker/config.ts";
import { ledgerVariables } from "../../lab/worker/ledger.ts";
import { knownWorkers } from "../../lab/worker/up.ts";
import { eventually, kubectl } from "../lab/pods.ts";
import { jobFile, objectsOf } from "./run-process.ts";

const paths = labPaths();
const before = knownWorkers(paths);

beforeAll(async () => {
  // Of this checkout: worker and submitter of different versions need not understand each other.
  await labUp({ workers: { replicas: 2, slots: 2 } });
}, 600_000);

afterAll(async () => {
  if (before === undefined) await labUp({ workers: { replicas: 0, slots: 2 } });
}, 300_000);

/** `mayfly` on this machine, with the workers' ledger and their state. */
async function mayfly(...args: readonly string[]): Promise<string> {
  const env = {
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    ),
    ...ledgerVariables(paths),
    MAYFLY_CONNECTION: paths.workersConnection,
  };
  const command = `${projectDir}/bin/mayfly`;
  const { code, stdout, stderr } = await execute(command, args, { cwd: projectDir, env });
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout.trim();
}

/** Asks for little, since the workers themselves have half of the lab's CPU. */
const little = { cpu: "100m", memory: "512Mi" };
const job = async (seconds = 0): Promise<string> =>
  await jobFile({ deadline: "15m", driver: little, workers: { count: 1, ...little } }, seconds);
const submit = async (file: string): Promise<string> => await mayfly("submit", file);

const Shown = z.object({ summary: z.object({ state: z.string(), holder: z.string().optional() }) });

/** A run's state, and the pod that works on it. */
async function look(run: string): Promise<{ readonly state: string; readonly pod: string | undefined }> {
  const { state, holder } = Shown.parse(JSON.parse(await mayfly("show", run, "--json"))).summary;
  return { state, pod: holder?.split("/")[0] };
}

/** It has succeeded, and nothing of it is left: no object, no lease, no state. */
async function expectGone(run: string): Promise<void> {
  await mayfly("wait", run, "--timeout", "10m");
  expect(await objectsOf(run)).toEqual([]);
  const selector = `mayfly.dev/run=${run}`;
  expect(await kubectl(["get", "leases", "--all-namespaces", "-l", selector, "-o", "name"])).toBe("");
  const stateFiles = await (await labStore()).list("mayfly-state", ".pulumi/");
  expect(stateFiles.filter((key) => key.includes(run))).toEqual([]);
}

const inPod = async (pod: string, ...command: readonly string[]): Promise<string> =>
  await kubectl(["exec", pod, "--namespace", WORKER.namespace, "--", ...command]);

test("three runs that this machine submits are brought to their ends by two workers in the cluster", async () => {
  const file = await job();
  const runs = await Promise.all([submit(file), submit(file), submit(file)]);
  for (const run of runs) await expectGone(run);
  const told = await kubectl([
    ...["logs", "--namespace", WORKER.namespace, "--selector", "app.kubernetes.io/name=mayfly-worker"],
    "--tail=-1",
  ]);
  for (const run of runs) expect(told).toContain(`"type":"claimed","run":"${run}"`);
}, 900_000);

test("a worker's pod that is killed while it makes a cluster: the other one brings the run to its end", async () => {
  const run = await submit(await job());
  const first = await eventually("pod that makes it", async () => {
    const { state, pod } = await look(run);
    return state === "creating" ? pod : undefined;
  });
  await kubectl(["delete", "pod", first, "--namespace", WORKER.namespace, "--grace-period=0", "--force"]);
  await expectGone(run);
  // The first helper's fence, and that of who went on.
  expect(await mayfly("show", run)).toMatch(/^worker-\S+ +2 /m);
}, 900_000);

test("a container that starts again in the same pod, by the same name and process id, is not taken for the one before", async () => {
  const run = await submit(await job(60));
  const pod = await eventually("pod that has it running", async () => {
    const { state, pod: working } = await look(run);
    return state === "running" ? working : undefined;
  });
  // Tini takes no such signal from inside. The brackets keep the shell from finding itself.
  const kill = `for p in /proc/[0-9]*; do grep -q '[c]li/main.ts' $p/cmdline && kill -9 \${p#/proc/}; done`;
  await inPod(pod, "sh", "-c", kill).catch(() => undefined);
  await expectGone(run);
  const of = [pod, "--namespace", WORKER.namespace];
  const restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
  expect(await kubectl(["get", "pod", ...of, "--output", restarts])).toBe("1");
  // It knows by itself that the one before is dead; the other pod would have to wait for the lease to run out.
  expect(await kubectl(["logs", ...of])).toContain(`"type":"recovering","run":"${run}"`);
}, 900_000);

test("no password stands in a worker's arguments, environment or log", async () => {
  const secret = z
    .object({ data: z.record(z.string(), z.string()) })
    .parse(
      JSON.parse(
        await kubectl(["get", "secret", WORKER.secret, "--namespace", WORKER.namespace, "--output=json"]),
      ),
    );
  const password =
    Buffer.from(secret.data["pgpass"] ?? "", "base64")
      .toString()
      .trim()
      .split(":")
      .at(-1) ?? "";
  expect(password).toHaveLength(32);
  const selected = ["--namespace", WORKER.namespace, "--selector", "app.kubernetes.io/name=mayfly-worker"];
  const log = await kubectl(["logs", ...selected, "--tail=-1"]);
  const [pod = ""] = (await kubectl(["get", "pods", ...selected, "--output=name"])).split("\n");
  const seen = await inPod(
    pod,
    "sh",
    "-c",
    "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; true",
  );
  expect(seen).toContain("MAYFLY_LEDGER");
  for (const text of [log, seen]) expect(text.includes(password)).toBe(false);
});

// A stream whose hard work a service does (examples/flink-enrich): under load the service grows, by Kubernetes' own autoscaler and the lab's
// metrics server, and shrinks again, while the stream's cluster stays as it is; and each number is answered exactly once.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { readCounted } from "../../examples/flink-stream/output.ts";
import { labStore } from "../../lab/store.ts";
import { JobSpec } from "../../schema/job.ts";
import { kubectl } from "../lab/pods.ts";
import { isJobManager, isTaskManager, podsOf } from "./pods.ts";
import { setUp } from "./setup.ts";
import type { Pod } from "./types.ts";

const NAME = "flink-services";
const BUCKET = "demo-output";
const FOLDER = `flink-suite/${NAME}/`;
const OUTPUT = `s3://${BUCKET}/${FOLDER}out/`;
const STATE = `s3://${BUCKET}/${FOLDER}state/`;
/** Ten a second of 10 ms each are more than one replica can do, and than two; then there is nothing to do. */
const NUMBERS = 900;

/** Another way to the lab, where somebody names one: with more patience on a busy machine. */
const { MAYFLY_CONNECTION } = process.env;
const CONNECTION = MAYFLY_CONNECTION === undefined ? {} : { MAYFLY_CONNECTION };

let folder = "";
let run = "";
let begun = 0;
const namespace = (): string => `demo-${run}`;
const said: string[] = [];
const say = (what: string): void => {
  said.push(`${String(Math.round((performance.now() - begun) / 1000)).padStart(4)} s  ${what}`);
};

const mayfly = async (...args: readonly string[]) =>
  await execute("bin/mayfly", args, {
    cwd: projectDir,
    env: childEnv({ MAYFLY_LEDGER: `sqlite://${join(folder, "ledger.sqlite")}`, ...CONNECTION }),
  });

async function clearStore(): Promise<void> {
  await (await labStore()).clear(BUCKET, FOLDER);
}

beforeAll(async () => {
  await setUp();
  await clearStore();
  folder = await mkdtemp(join(tmpdir(), "mayfly-services-"));
  const example = JobSpec.parse(
    parse(await readFile(join(projectDir, "examples", "flink-enrich", "job.yaml"), "utf8")),
  );
  if (example.engine !== "flink" || example.kind !== "stream") throw new Error("the example is no stream");
  await writeFile(
    join(folder, "job.yaml"),
    stringify({
      ...example,
      name: NAME,
      arguments: [...["http://scoring:8080/score", OUTPUT], ...["--rate", "10", "--until", String(NUMBERS)]],
      checkpoints: { ...example.checkpoints, location: STATE, interval: "10s" },
      // Small, to find room on a node that others use too.
      jobManager: { ...example.jobManager, cpu: "250m" },
      taskManagers: { ...example.taskManagers, count: 1, slots: 2, cpu: "150m", memory: "1280Mi" },
      services: example.services.map((service) => ({
        ...service,
        cpu: "50m",
        replicas: { ...service.replicas, max: 3, calm: "30s" },
      })),
      output: { locations: [OUTPUT] },
    }),
  );
});

afterAll(async () => {
  // Where the test has ended early.
  if (run !== "") await mayfly("destroy", run, "--discard-state");
  await clearStore();
  await rm(folder, { recursive: true, force: true });
  if (said.length > 0) process.stdout.write(`\n${said.join("\n")}\n`);
});

const Started = z.object({ type: z.literal("stream"), run: z.string(), state: z.string() });

const startedRun = (output: string): string | undefined =>
  output
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => Started.safeParse(JSON.parse(line)))
    .find(({ success }) => success)?.data?.run;

const Deployment = z.object({
  spec: z.object({ replicas: z.int() }),
  status: z.object({ readyReplicas: z.int().default(0) }),
});

async function scoring(): Promise<{ readonly wanted: number; readonly ready: number }> {
  const json = await kubectl([
    "get",
    "deployment",
    "scoring",
    "--namespace",
    namespace(),
    "--output",
    "json",
  ]);
  const { spec, status } = Deployment.parse(JSON.parse(json));
  return { wanted: spec.replicas, ready: status.readyReplicas };
}

/** Says each new size until one is as wanted. */
async function until(
  what: string,
  seconds: number,
  fits: (size: { readonly wanted: number; readonly ready: number }) => boolean,
): Promise<void> {
  let last = "";
  for (const deadline = performance.now() + seconds * 1000; performance.now() < deadline; ) {
    const size = await scoring();
    const text = `service: ${size.wanted} replicas wanted, ${size.ready} ready`;
    if (text !== last) say(text);
    last = text;
    if (fits(size)) return;
    await sleep(2000);
  }
  throw new Error(`${what} did not happen within ${seconds} s; ${last}`);
}

const Restarts = z.tuple([z.object({ id: z.literal("numRestarts"), value: z.string() })]);

/** How often Flink has restarted the job, by its own REST, which listens inside the JobManager's pod alone. */
async function flinkRestarts(): Promise<string> {
  const [manager] = (await podsOf(namespace())).filter(isJobManager);
  const script = [
    "import json, urllib.request",
    "ask = lambda path: urllib.request.urlopen('http://127.0.0.1:8081' + path).read().decode()",
    "job = json.loads(ask('/jobs/overview'))['jobs'][0]['jid']",
    "print(ask('/jobs/' + job + '/metrics?get=numRestarts'))",
  ].join("\n");
  const answer = await kubectl([
    ...["exec", "--namespace", namespace(), manager?.name ?? "", "--container", "driver"],
    ...["--", "python3", "-c", script],
  ]);
  return Restarts.parse(JSON.parse(answer))[0].value;
}

const own = (pods: readonly Pod[]) =>
  pods
    .filter((pod) => isTaskManager(pod) || isJobManager(pod))
    .map(({ name, uid, restarts }) => ({ name, uid, restarts }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

test("grows and shrinks with the load, while the stream's cluster stays as it is and loses nothing", async () => {
  begun = performance.now();
  const { code, stdout, stderr } = await mayfly("run", join(folder, "job.yaml"), "--json");
  run = startedRun(stdout) ?? "";
  expect([code, run === ""], stdout.slice(-2000) + stderr.slice(-2000)).toEqual([0, false]);
  say("the stream is healthy, says mayfly run");
  const before = own(await podsOf(namespace()));
  expect(before.map(({ restarts }) => restarts)).toEqual([0, 0]);

  await until("growth", 180, ({ wanted, ready }) => wanted > 1 && ready > 1);
  expect(own(await podsOf(namespace()))).toEqual(before);
  expect(await flinkRestarts()).toBe("0");

  await until("shrinking", 420, ({ wanted }) => wanted === 1);
  expect(own(await podsOf(namespace()))).toEqual(before);
  expect(await flinkRestarts()).toBe("0");

  const suspended = await mayfly("suspend", NAME);
  expect(suspended.code, suspended.stdout + suspended.stderr).toBe(0);
  say("suspended, says mayfly suspend");
  const numbers = (await readCounted(OUTPUT))
    .flatMap(({ text }) => text.trim().split("\n"))
    .map((line) => Number(line.split(",")[0]))
    .sort((a, b) => a - b);
  expect(numbers).toEqual(Array.from({ length: NUMBERS }, (_, index) => index));
  const left = await kubectl(["get", "namespaces", "--output", "name"]);
  expect(left).not.toContain(namespace());
  run = "";
});

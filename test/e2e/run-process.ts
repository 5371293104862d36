// `mayfly run` as a pipeline or a person at a terminal starts it, for tests.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { stringify } from "yaml";
import { projectDir } from "../../base/paths.ts";
import { labStore } from "../../lab/store.ts";
import { RunEvent } from "../../schema/events.ts";
import { kubectl } from "../lab/pods.ts";

/** A process of a run. */
export interface Started {
  readonly pid: number;
  readonly command: string;
}

/** A running `mayfly run --json`. */
export interface RunProcess {
  readonly pid: number;
  readonly events: readonly RunEvent[];
  /** Settles with the first event that fits, or rejects when the process ends without one. */
  readonly until: (fits: (event: RunEvent) => boolean) => Promise<RunEvent>;
  /** Sends a signal to the process group, as a terminal does. */
  readonly signal: (name: NodeJS.Signals) => void;
  readonly exit: Promise<{ readonly code: number | null; readonly stderr: string }>;
  /** Processes that the run has started and that still live, its own included. */
  readonly processes: () => Promise<readonly Started[]>;
}

export const phase =
  (name: string) =>
  (event: RunEvent): boolean =>
    event.type === "phase" && event.phase === name;

/** Starts it in a process group of its own. `env` is added to this process's. */
export async function startRun(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<RunProcess> {
  // Handed on to all children, and so a mark by which they are found.
  const mark = await mkdtemp(join(tmpdir(), "mayfly-run-test-"));
  const child = spawn(join(projectDir, "bin", "mayfly"), ["run", "--json", ...args], {
    cwd: projectDir,
    env: { ...process.env, ...env, TMPDIR: mark },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const events: RunEvent[] = [];
  const waiting = new Set<{ fits: (event: RunEvent) => boolean; resolve: (event: RunEvent) => void }>();
  const failing = new Set<(error: Error) => void>();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const parsed = RunEvent.safeParse(JSON.parse(line));
    if (!parsed.success) return;
    events.push(parsed.data);
    for (const waiter of waiting) if (waiter.fits(parsed.data)) waiter.resolve(parsed.data);
  });
  const exit = new Promise<{ code: number | null; stderr: string }>((resolve) => {
    child.on("close", (code) => {
      for (const fail of failing) fail(new Error(`ended with ${code ?? "a signal"}: ${stderr}`));
      void rm(mark, { recursive: true, force: true }).then(() => {
        resolve({ code, stderr });
      });
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("mayfly did not start");
  return {
    pid,
    events,
    until: (fits) => {
      const seen = events.find(fits);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((resolve, reject) => {
        waiting.add({ fits, resolve });
        failing.add(reject);
      });
    },
    signal: (name) => process.kill(-pid, name),
    exit,
    processes: () => processesWith(`TMPDIR=${mark}`),
  };
}

/** Processes that live and have this variable, as `NAME=value`, in their environment. */
export async function processesWith(variable: string): Promise<Started[]> {
  const ids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
      const command = (await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
      return { pid: Number(id), command, ours: environment.split("\0").includes(variable) };
    }),
  );
  // One that has ended and waits to be collected has no command line.
  return all
    .filter(({ ours, command }) => ours && command !== "")
    .map(({ pid, command }) => ({ pid, command }));
}

/** Everything in the cluster that carries the run's label or lies in its namespace, as `kind/name`. */
export async function objectsOf(run: string): Promise<string[]> {
  const kinds = [
    "namespaces",
    "pods",
    "jobs",
    "statefulsets",
    "services",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "networkpolicies",
    "resourcequotas",
    "limitranges",
    "poddisruptionbudgets",
    "persistentvolumeclaims",
  ];
  const selector = `mayfly.dev/run=${run}`;
  const text = await kubectl(["get", kinds.join(","), "--all-namespaces", "-l", selector, "-o", "name"]);
  return text.split("\n").filter((line) => line !== "");
}

/** Counts on the cluster, then works for as many seconds as it is told. */
const PROGRAM = `
import sys, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.getOrCreate()
print("counted", spark.sparkContext.parallelize(range(100), 2).count(), flush=True)
time.sleep(float(sys.argv[1]))
spark.stop()
`;
const SCRIPT = { bucket: "demo-code", key: "mayfly-tests/count.py" } as const;

/** An image to test with before the environment's own is there. */
const IMAGE = process.env["MAYFLY_TEST_IMAGE"];

/** Writes a small job to a file: it counts, then takes `seconds`; `changes` replace whole fields. */
export async function jobFile(changes: Readonly<Record<string, unknown>> = {}, seconds = 0): Promise<string> {
  await (await labStore()).put(SCRIPT.bucket, SCRIPT.key, Buffer.from(PROGRAM));
  const folder = await mkdtemp(join(tmpdir(), "mayfly-job-"));
  process.once("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, "job.yaml");
  const small = { cpu: "200m", memory: "512Mi" };
  await writeFile(
    path,
    stringify({
      apiVersion: "mayfly.dev/v1",
      name: "count",
      tenant: "demo",
      engine: "spark",
      version: "4.0",
      application: { kind: "python", file: `s3://${SCRIPT.bucket}/${SCRIPT.key}` },
      arguments: [String(seconds)],
      driver: small,
      workers: { count: 1, ...small },
      scratch: { kind: "emptyDir", size: "512Mi" },
      deadline: "4m",
      ...(IMAGE === undefined ? {} : { image: IMAGE }),
      ...changes,
    }),
  );
  return path;
}

// Detached runs on the real lab: a ledger of their own, and short leases so that a dead worker is seen soon.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { eventually, kubectl } from "../lab/pods.ts";
import { jobFile, objectsOf } from "./run-process.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-work-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `mayfly` of its own process, with the test's ledger. */
function start(...args: readonly string[]) {
  const child = spawn(join(projectDir, "bin", "mayfly"), args, {
    cwd: projectDir,
    env: {
      ...process.env,
      MAYFLY_LEDGER: `sqlite://${join(folder, "ledger.sqlite")}`,
      MAYFLY_LEASE_SECONDS: "4",
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const kill = (name: NodeJS.Signals): void => {
    // All of its group, as a machine that goes away; an ended one has none.
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, name);
  };
  onTestFinished(() => {
    kill("SIGKILL");
  });
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const done = new Promise<Done>((resolve) => {
    child.on("close", (code) => {
      resolve({ code, stdout: lines.join("\n"), stderr });
    });
  });
  const until = async (text: string): Promise<void> => {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (lines.some((line) => line.includes(text))) resolve();
      };
      waiting.add(look);
      look();
      void done.then(({ code }) => {
        reject(new Error(`ended with ${code ?? "a signal"} before ${text}: ${lines.join("\n")}${stderr}`));
      });
    });
  };
  return { kill, until, done };
}

const mayfly = (...args: readonly string[]): Promise<Done> => start(...args).done;

async function submit(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await mayfly("submit", ...args);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

/** It ended so, and neither objects nor a lease are there any more. */
async function expectEnded(run: string, code: number): Promise<void> {
  expect((await mayfly("wait", run, "--timeout", "5s")).code).toBe(code);
  expect(await objectsOf(run)).toEqual([]);
  const selector = `mayfly.dev/run=${run}`;
  expect(await kubectl(["get", "leases", "--all-namespaces", "-l", selector, "-o", "name"])).toBe("");
}

test("submitted twice with one key it is one run, which a worker brings to its end; the key of another spec is refused", async () => {
  const file = await jobFile();
  const run = await submit(file, "--key", "nightly");
  expect(await submit(file, "--key", "nightly")).toBe(run);
  const other = await mayfly("submit", await jobFile({ name: "other" }), "--key", "nightly");
  expect(other.code).toBe(73);
  expect(other.stderr).toContain(run);
  expect((await mayfly("wait", run, "--timeout", "1s")).code).toBe(75);

  expect((await mayfly("work", "--drain", "--slots", "2")).code).toBe(0);
  await expectEnded(run, 0);
});

test("kill -9 of the worker while it makes the cluster: another one brings the run to its end, nothing is left", async () => {
  const run = await submit(await jobFile());
  const first = start("work", "--json", "--slots", "1");
  await first.until('"type":"resource"');
  first.kill("SIGKILL");
  await first.done;

  expect((await mayfly("work", "--drain", "--slots", "1")).code).toBe(0);
  await expectEnded(run, 0);
  const shown = await mayfly("show", run);
  expect(shown.stdout).toContain("FENCE");
});

test("kill -9 of the worker while the job runs: another one only watches it on", async () => {
  const run = await submit(await jobFile({}, 25));
  const first = start("work", "--json", "--slots", "1");
  // By the ledger: what is not in there yet is done again.
  await eventually("running", async () => {
    const { stdout } = await mayfly("runs", "--state", "running", "--json");
    return stdout.includes(run) ? true : undefined;
  });
  first.kill("SIGKILL");
  await first.done;

  const second = await mayfly("resume", "--json");
  expect(second.code).toBe(0);
  expect(second.stdout).not.toContain('"operation":"create"');
  await expectEnded(run, 0);
});

test("cancelled in the queue it ends at once, at work its worker ends it, and asking again changes nothing", async () => {
  const queued = await submit(await jobFile());
  expect((await mayfly("cancel", queued)).code).toBe(0);
  expect((await mayfly("cancel", queued)).code).toBe(0);
  await expectEnded(queued, 130);

  const run = await submit(await jobFile({}, 600));
  const worker = start("work", "--json", "--drain", "--slots", "1");
  await worker.until('"phase":"starting"');
  expect((await mayfly("cancel", run)).code).toBe(0);
  expect((await mayfly("cancel", run)).code).toBe(0);
  expect((await worker.done).code).toBe(0);
  await expectEnded(run, 130);
});

test("SIGTERM: a worker hands a running job over, and the next one goes on with it at once", async () => {
  const run = await submit(await jobFile({}, 20));
  const first = start("work", "--json", "--slots", "1");
  await first.until('"phase":"running"');
  first.kill("SIGTERM");
  first.kill("SIGTERM");
  expect((await first.done).stdout).toContain('"end":"handed-over"');
  expect((await mayfly("work", "--drain", "--slots", "1")).code).toBe(0);
  await expectEnded(run, 0);
});

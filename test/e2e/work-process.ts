// `mayfly work` and its fellows as processes, with a ledger of the test file's own and short leases, so that a dead worker is seen soon.
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { projectDir } from "../../base/paths.ts";
import { kubectl } from "../lab/pods.ts";
import { objectsOf, processesWith } from "./run-process.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-work-test-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

export interface Done {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A `mayfly` of its own process, with the test's ledger. */
export const start = (...args: readonly string[]) => startAs([join(projectDir, "bin", "mayfly"), ...args]);

/** The same as if on another machine: its name is all by which others tell that. */
export const startElsewhere = (host: string, ...args: readonly string[]) =>
  startAs([
    ...["unshare", "--uts", "sh", "-c", `hostname ${host} && exec "$0" "$@"`],
    ...[join(projectDir, "bin", "mayfly"), ...args],
  ]);

let count = 0;

function startAs([command = "", ...args]: readonly string[]) {
  // Handed on to all children, and so a mark by which they are found.
  const mark = join(folder, `process-${++count}`);
  mkdirSync(mark);
  const child = spawn(command, args, {
    cwd: projectDir,
    env: {
      ...process.env,
      TMPDIR: mark,
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
  /** To it and to all that it has started: what a machine does to them. */
  const killAll = async (name: NodeJS.Signals): Promise<void> => {
    for (const { pid } of await processesWith(`TMPDIR=${mark}`)) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended meanwhile.
      }
    }
  };
  return { kill, killAll, lines, until, done };
}

export const mayfly = (...args: readonly string[]): Promise<Done> => start(...args).done;

export async function submit(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await mayfly("submit", ...args);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  return stdout;
}

/** It ended so, and neither objects nor a lease are there any more. */
export async function expectEnded(run: string, code: number): Promise<void> {
  expect((await mayfly("wait", run, "--timeout", "5s")).code).toBe(code);
  expect(await objectsOf(run)).toEqual([]);
  const selector = `mayfly.dev/run=${run}`;
  expect(await kubectl(["get", "leases", "--all-namespaces", "-l", selector, "-o", "name"])).toBe("");
}

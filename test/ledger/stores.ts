// What the ledger is tested on, and real processes that use one ledger at once.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { childEnv } from "../../base/process.ts";
import type { Ledger, Submission } from "../../jobs/ledger/index.ts";
import { JobSpec } from "../../schema/job.ts";

export interface TempFolder {
  readonly path: string;
  readonly remove: () => void;
}

export function tempFolder(): TempFolder {
  const path = mkdtempSync(join(tmpdir(), "mayfly-ledger-"));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** The job of the sample plan `pi`. Its secret is a name only, as in any spec. */
export const pi = JobSpec.parse({
  apiVersion: "mayfly.dev/v1",
  name: "pi",
  tenant: "demo",
  engine: "spark",
  version: "4.0.1",
  application: { kind: "python", file: "s3://demo-code/pi.py" },
  workers: { count: 2 },
  secrets: [{ env: "DB_PASSWORD", secret: "warehouse", key: "password" }],
});

/** A run of job pi as `mayfly submit` records it. */
export const submission = (run: string, changes: Partial<Submission> = {}): Submission => ({
  run,
  spec: pi,
  environment: "lab",
  connection: "/srv/lab/connection.json",
  ...changes,
});

/** Submits runs named one after the other, a second apart. */
export async function submitMany(ledger: Ledger, count: number): Promise<string[]> {
  const runs: string[] = [];
  for (let index = 0; index < count; index++) {
    const at = new Date(Date.UTC(2026, 10, 24, 6, 0, index)).toISOString();
    const { run } = await ledger.submit(
      submission(`pi-${String(index).padStart(3, "0")}`, { submittedAt: at }),
    );
    runs.push(run);
  }
  return runs;
}

export interface Ended {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** Runs helper.ts in a process of its own, as another user where told; its lines are what it printed. */
export async function helperProcess(
  url: string,
  args: readonly string[],
  user: { uid?: number; gid?: number } = {},
): Promise<Ended> {
  const script = fileURLToPath(new URL("helper.ts", import.meta.url));
  // Without bin/node's switch: the ledger itself keeps Node's warning about SQLite quiet.
  const child = spawn(process.execPath, [script, ...args], {
    ...user,
    env: childEnv({ MAYFLY_LEDGER: url }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, lines: stdout.split("\n").filter((line) => line !== ""), stderr };
}

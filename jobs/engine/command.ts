// Boundary to the SDK: stands in for its PulumiCommand, whose constructor is private and whose `run` is internal.
import { type ChildProcess, spawn } from "node:child_process";
import type { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

/** A CLI call that did not end with exit code 0. */
export class CliFailed extends Error {
  override readonly name = "CliFailed";
  readonly output: string;

  constructor(output: string) {
    super("pulumi failed");
    this.output = output;
  }
}

/** The SDK asks for the version only to choose how events come: since 3.206 as a stream. `mayfly lab doctor` checks the real one. */
const EVENT_STREAM_VERSION = "3.220.0";

/** After an interrupt the CLI waits for what is in flight; after this it is told to give that up, then killed. */
const PATIENCE_MS = { terminate: 20_000, kill: 30_000 } as const;

/** How much output is kept for an error message. */
const KEPT_OUTPUT = 64 * 1024;

/**
 * Calls that the SDK makes around each operation and whose answers nobody here reads, 0.16 s each: outputs twice and history after `up`,
 * `stack select` before `destroy`, which gets the stack's name anyway.
 */
const UNNEEDED: Readonly<Record<string, string>> = {
  "stack output": "{}",
  "stack history": "[]",
  "stack select": "",
};

/**
 * A PulumiCommand that skips needless calls and runs the CLI in a session of its own: a terminal's Ctrl-C would otherwise reach it
 * beside us and cut the clean-up short.
 */
export function pulumiCommand(): PulumiCommand {
  const command = { command: "pulumi", version: { toString: () => EVENT_STREAM_VERSION }, run };
  return command as unknown as PulumiCommand;
}

interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

async function run(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  _onOutput?: unknown,
  _onError?: unknown,
  signal?: AbortSignal,
): Promise<CommandResult> {
  const unneeded = UNNEEDED[args.slice(0, 2).join(" ")];
  if (unneeded !== undefined) return { stdout: unneeded, stderr: "", code: 0 };
  return await runPulumi(args, cwd, env, signal);
}

/**
 * Runs the CLI once.
 * @param env Its whole environment.
 * @throws CliFailed
 */
export async function runPulumi(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<CommandResult> {
  return await new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, "--non-interactive"], {
      cwd,
      env: { ...env, PULUMI_AUTOMATION_API: "true" },
      stdio: ["ignore", "pipe", "pipe"],
      // A session of its own: a terminal's Ctrl-C is for the helper.
      detached: true,
    });
    const output = collect(child);
    const release = interruptOn(child, signal);
    child.on("error", (error) => {
      release();
      reject(new CliFailed(`error: ${error.message}: executable file not found`));
    });
    child.on("close", (code) => {
      release();
      if (code === 0) resolve({ stdout: output.stdout, stderr: output.stderr, code });
      else reject(new CliFailed(`${output.stdout}\n${output.stderr}`));
    });
  });
}

function collect(child: ChildProcess): { stdout: string; stderr: string } {
  const output = { stdout: "", stderr: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    output.stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    output.stderr = (output.stderr + chunk).slice(-KEPT_OUTPUT);
  });
  return output;
}

/**
 * The CLI takes a first SIGINT as a wish to stop, a second as an order:
 * https://github.com/pulumi/pulumi/blob/master/pkg/backend/cancellation_scope.go
 */
function interruptOn(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  const timers: NodeJS.Timeout[] = [];
  const interrupt = (): void => {
    child.kill("SIGINT");
    timers.push(
      setTimeout(() => child.kill("SIGINT"), PATIENCE_MS.terminate),
      setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS.kill),
    );
  };
  if (signal?.aborted === true) interrupt();
  else signal?.addEventListener("abort", interrupt, { once: true });
  return () => {
    signal?.removeEventListener("abort", interrupt);
    for (const timer of timers) clearTimeout(timer);
  };
}

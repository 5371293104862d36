import { type ChildProcess, spawn } from "node:child_process";
import { UserError } from "../base/errors.ts";

/** A finished call of the CLI. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An interrupted CLI waits for what is in flight; after this it is told to give that up, then killed. */
const PATIENCE_MS = { insist: 2000, kill: 4000 } as const;

/** Signals that end this process, and the CLI with it. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs the Pulumi CLI once, in a session of its own: a Ctrl-C of the terminal reaches only this process, which then ends the CLI,
 * cleans up and dies of the same signal.
 *
 * @param cleanUp Called before this process ends by a signal.
 * @throws UserError `simulation-stopped` where `signal` was aborted.
 */
export async function runPulumi(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
    readonly cleanUp: () => Promise<void>;
  },
): Promise<Finished> {
  const { signal } = options;
  if (signal?.aborted === true) throw stopped();
  return await new Promise((resolve, reject) => {
    const child = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], {
      cwd: options.cwd,
      env: options.env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let fatal: NodeJS.Signals | undefined;
    const stop = stopper(child);
    const onSignal = (received: NodeJS.Signals): void => {
      fatal = received;
      stop.now();
    };
    for (const name of SIGNALS) process.on(name, onSignal);
    signal?.addEventListener("abort", stop.now, { once: true });
    const release = (): void => {
      stop.forget();
      signal?.removeEventListener("abort", stop.now);
      for (const name of SIGNALS) process.removeListener(name, onSignal);
    };
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
    });
    child.on("error", (error) => {
      release();
      reject(error);
    });
    child.on("close", (code) => {
      release();
      if (fatal !== undefined) {
        const received = fatal;
        void options.cleanUp().finally(() => process.kill(process.pid, received));
        return;
      }
      if (signal?.aborted === true) reject(stopped());
      else resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

const stopped = (): UserError => new UserError("simulation-stopped", "The simulation was stopped.");

/**
 * The CLI takes a first SIGINT as a wish to stop, a second as an order:
 * https://github.com/pulumi/pulumi/blob/master/pkg/backend/cancellation_scope.go
 */
function stopper(child: ChildProcess): { readonly now: () => void; readonly forget: () => void } {
  const timers: NodeJS.Timeout[] = [];
  return {
    now: () => {
      child.kill("SIGINT");
      timers.push(
        setTimeout(() => child.kill("SIGINT"), PATIENCE_MS.insist),
        setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS.kill),
      );
    },
    forget: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

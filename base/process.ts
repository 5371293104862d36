import { type SpawnOptions, spawn } from "node:child_process";

/** Variables that any child process may see. Secrets are handed over one by one, by name. */
const ALLOWED = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "TERM",
  "TMPDIR",
  "TZ",
  "XDG_CACHE_HOME",
  "XDG_STATE_HOME",
  "XDG_RUNTIME_DIR",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "NODE_COMPILE_CACHE",
  "NODE_EXTRA_CA_CERTS",
] as const;

/** An allow-listed copy of this process's environment plus `extra`; nothing else reaches a child. */
export function childEnv(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of ALLOWED) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  return { ...env, ...extra };
}

/** A finished child process. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How {@link execute} runs a command. `env` replaces the environment: build it with {@link childEnv}. */
export interface ExecuteOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal?: AbortSignal;
  /** Another user to run it as, by root only. The working folder is entered before. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What ends the child when `signal` is aborted; default SIGTERM. */
  readonly killSignal?: NodeJS.Signals;
  /** Called with each piece of output as it comes, for progress or a log file. */
  readonly onOutput?: (chunk: string) => void;
}

/** Runs a command without a shell and collects what it prints. Never throws for a non-zero exit: look at `code`. */
export async function execute(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<Finished> {
  const spawnOptions: SpawnOptions = {
    env: options.env ?? childEnv(),
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.user,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(options.killSignal === undefined ? {} : { killSignal: options.killSignal }),
  };
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, spawnOptions);
    let stdout = "";
    let stderr = "";
    child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
      stdout += chunk;
      options.onOutput?.(chunk);
    });
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
      stderr += chunk;
      options.onOutput?.(chunk);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

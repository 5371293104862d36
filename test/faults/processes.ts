// Mayfly's processes as a fault sees them: started, followed, found in /proc by a mark in their environment, killed.
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { projectDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import { RunEvent } from "../../schema/events.ts";
import type { Mark } from "./place.ts";

/** A process and its command line. */
export interface Started {
  readonly pid: number;
  readonly command: string;
}

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command of Mayfly's that runs. */
export interface Helper {
  readonly pid: number;
  readonly events: readonly RunEvent[];
  /** Settles with the first event that fits; undefined where it ended without one. */
  readonly until: (fits: (event: RunEvent) => boolean) => Promise<RunEvent | undefined>;
  readonly exit: Promise<Ended>;
  /** All that it printed. */
  readonly said: () => string;
  /** The most memory that the process itself was seen to take, in MiB. */
  readonly peakMib: () => number;
}

/** Starts a program of this project in a process group of its own. `env` comes on top of what any child may see. */
export function startHelper(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Helper {
  const child = spawn(program, args, {
    cwd: projectDir,
    env: childEnv(env),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const events: RunEvent[] = [];
  const waiting = new Set<(event: RunEvent | undefined) => void>();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    said += chunk;
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    said += `${line}\n`;
    const event = parseEvent(line);
    if (event === undefined) return;
    events.push(event);
    for (const tell of waiting) tell(event);
  });
  const exit = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      for (const tell of waiting) tell(undefined);
      resolve({ code, signal });
    });
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  let peakKib = 0;
  const sampling = setInterval(() => {
    // Its high-water mark: https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
    void readFile(`/proc/${pid}/status`, "utf8").then(
      (status) => {
        peakKib = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? peakKib);
      },
      () => undefined,
    );
  }, 500);
  child.on("close", () => {
    clearInterval(sampling);
  });
  return {
    pid,
    events,
    until: async (fits) => {
      const seen = events.find(fits);
      if (seen !== undefined) return seen;
      if (child.exitCode !== null || child.signalCode !== null) return undefined;
      return await new Promise((resolve) => {
        const tell = (event: RunEvent | undefined): void => {
          if (event !== undefined && !fits(event)) return;
          waiting.delete(tell);
          resolve(event);
        };
        waiting.add(tell);
      });
    },
    exit,
    said: () => said,
    peakMib: () => Math.round(peakKib / 1024),
  };
}

function parseEvent(line: string): RunEvent | undefined {
  try {
    return RunEvent.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined; // a command's line for people
  }
}

/**
 * Runs a program as on a machine of another name: in a UTS namespace of its own. Helpers there take those here for strangers, of whose
 * processes nothing is known (https://man7.org/linux/man-pages/man7/uts_namespaces.7.html).
 */
export const onMachine = (
  name: string,
  program: string,
  args: readonly string[],
): readonly [string, readonly string[]] => [
  "unshare",
  ["--uts", "--", "sh", "-c", 'hostname "$0" && exec "$@"', name, program, ...args],
];

/**
 * NODE_OPTIONS of a helper whose clock becomes wrong (clock-jump.ts). Other processes don't get this variable.
 * @param afterMs From the process's start.
 */
export const wrongClock = (seconds: number, afterMs = 4000): string =>
  `--import=${join(projectDir, "test", "faults", "clock-jump.ts")}?seconds=${seconds}&after=${afterMs}`;

/** An event of a phase that begins. */
export const phase =
  (name: string) =>
  (event: RunEvent): boolean =>
    event.type === "phase" && event.phase === name;

/** Living processes that have a variable whose value begins so: a child gets it from its parent. */
export async function processesWith({ name, value }: Mark): Promise<Started[]> {
  const ids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const all = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(`/proc/${id}/environ`, "utf8").catch(() => "");
      if (!environment.split("\0").some((line) => line.startsWith(`${name}=${value}`))) return [];
      const command = (await readFile(`/proc/${id}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
      // One that has ended and waits to be collected has no command line.
      return command === "" ? [] : [{ pid: Number(id), command }];
    }),
  );
  return all.flat();
}

/** Sends a signal; says whether there was such a process. */
export function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false; // ended meanwhile
  }
}

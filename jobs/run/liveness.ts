import { readFile } from "node:fs/promises";
import { hostname } from "node:os";

/** A process that works on runs. */
export interface Helper {
  readonly host: string;
  readonly pid: number;
  /** Tells a process from a later one with the same id. */
  readonly startedAt: string;
}

/** A helper's name as a holder, in ledger and leases. */
export const holderOf = ({ host, pid, startedAt }: Helper): string => `${host}/${pid}/${startedAt}`;

/** The helper of that name; undefined where it was given otherwise. */
export function helperOf(holder: string | undefined): Helper | undefined {
  const [, host, pid, startedAt] = /^([^/]+)\/(\d+)\/([^/]*)$/.exec(holder ?? "") ?? [];
  if (host === undefined || startedAt === undefined) return undefined;
  return { host, pid: Number(pid), startedAt };
}

/** How this process is told from others, also after its id was given to another one. */
export async function thisHelper(): Promise<Helper> {
  return { host: hostname(), pid: process.pid, startedAt: (await startOf(process.pid)) ?? "" };
}

/** Whether a run's helper still lives; undefined where it ran on another machine, which we can't tell from here. */
export async function helperLives(helper: Helper): Promise<boolean | undefined> {
  if (helper.host !== hostname()) return undefined;
  const start = await startOf(helper.pid);
  return start !== undefined && (helper.startedAt === "" || start === helper.startedAt);
}

/**
 * Whether a Pulumi has this id on this machine, as the owner of a lock had. Ids come again, soon in a container that starts anew in its
 * pod: what lives by that id now is most likely something else of ours, such as an engine that waits for work.
 */
export async function pulumiLives(pid: number): Promise<boolean> {
  if ((await startOf(pid)) === undefined) return false;
  if (process.platform !== "linux") return true;
  const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
  return name.trim() === "pulumi";
}

/** When a process started, in the kernel's ticks; undefined where there is none. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command's name may hold spaces and brackets: count from its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state] = fields;
    return state === "Z" || state === "X" ? undefined : fields[19];
  } catch {
    return process.platform === "linux" ? undefined : startWithoutProc(pid);
  }
}

/** Elsewhere only that it lives is known. */
function startWithoutProc(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return "";
  } catch {
    return undefined;
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { errorCode, isMissing, readIfThere } from "./files.ts";

/** Set in the environment of each daemon that the lab starts, and inherited by what it starts (containerd's shims). */
export const UNIT_VARIABLE = "MAYFLY_LAB_UNIT";

/** What `/proc/<pid>/stat` says. */
export interface ProcessStat {
  readonly name: string;
  readonly state: string;
  /** Clock ticks from boot to the process's start: with the pid it names a process for good, pids alone come again. */
  readonly startTicks: number;
}

/** Reads the text of `/proc/<pid>/stat`. The name may hold blanks and brackets, so fields count from its last bracket. */
export function parseStat(text: string): ProcessStat | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return undefined;
  const fields = text.slice(close + 2).split(" ");
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (state === undefined || !Number.isSafeInteger(startTicks)) return undefined;
  return { name: text.slice(open + 1, close), state, startTicks };
}

/** The stat of a process that exists and is not a zombie. */
export function statOf(pid: number): ProcessStat | undefined {
  const text = readIfThere(`/proc/${pid}/stat`);
  const stat = text === undefined ? undefined : parseStat(text);
  return stat === undefined || stat.state === "Z" || stat.state === "X" ? undefined : stat;
}

/** Changes at each boot; makes records of an earlier boot void. */
export const bootId = (): string => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** A process that belongs to the lab. */
export interface LabProcess {
  readonly pid: number;
  readonly name: string;
  /** The unit it is or comes from; undefined for what runs in a pod. */
  readonly unit: string | undefined;
}

/** The unit that a process's environment (`/proc/<pid>/environ`) names. */
export function unitOfEnvironment(environ: string): string | undefined {
  const prefix = `${UNIT_VARIABLE}=`;
  return environ
    .split("\0")
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Whether `/proc/<pid>/cgroup` puts a process below the lab's cgroup, as the kubelet does with everything in pods. */
export function isInCgroup(text: string, cgroup: string): boolean {
  return text.split("\n").some((line) => {
    const path = line.split(":").slice(2).join(":");
    return path === `/${cgroup}` || path.startsWith(`/${cgroup}/`);
  });
}

/** All processes of the lab, those in pods too: found by environment and cgroup, not by records, so none is missed. */
export function labProcesses(cgroup: string): LabProcess[] {
  const found: LabProcess[] = [];
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const stat = statOf(pid);
    if (stat === undefined) continue;
    const unit = unitOfEnvironment(readAllowed(`/proc/${pid}/environ`));
    const inPod = isInCgroup(readAllowed(`/proc/${pid}/cgroup`), cgroup);
    if (unit !== undefined || inPod) found.push({ pid, name: stat.name, unit: inPod ? undefined : unit });
  }
  return found;
}

/** Empty for what is gone meanwhile, and for what this process may not look into: that is none of the lab's. */
function readAllowed(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (error) {
    if (isMissing(error) || errorCode(error) === "EACCES" || errorCode(error) === "EPERM") return "";
    throw error;
  }
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

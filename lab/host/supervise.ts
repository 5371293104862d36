import { spawn } from "node:child_process";
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, UserError } from "../../base/errors.ts";
import { childEnv } from "../../base/process.ts";
import { digest, readIfThere, writeIfChanged } from "./files.ts";
import { bootId, labProcesses, signal, statOf, UNIT_VARIABLE } from "./processes.ts";
import { parseRecord, startOrder, type Unit, type UnitRecord } from "./unit.ts";

/** Where records and logs lie, and which cgroup marks the lab's processes. */
export interface Supervision {
  readonly recordsDir: string;
  readonly logsDir: string;
  readonly cgroup: string;
}

/** How long a healthy-looking start may take before it counts as failed. Generous: builds may load the machine. */
const START_DEADLINE_MS = 120_000;
/** How long a running but unhealthy daemon may take to recover by itself before it is started anew. */
const RECOVERY_MS = 10_000;
const POLL_MS = 50;

/** The record of a unit that runs right now. */
export function runningRecord(supervision: Supervision, name: string): UnitRecord | undefined {
  const text = readIfThere(join(supervision.recordsDir, `${name}.json`));
  const record = text === undefined ? undefined : parseRecord(text);
  if (record === undefined || record.bootId !== bootId()) return undefined;
  return statOf(record.pid)?.startTicks === record.startTicks ? record : undefined;
}

/** Hash of all that a unit is started with: another one means that the running daemon is out of date. */
export function fingerprintOf(unit: Unit): string {
  return digest(
    JSON.stringify([
      unit.command,
      unit.args,
      unit.env ?? {},
      unit.files ?? {},
      ...(unit.user === undefined ? [] : [unit.user]),
    ]),
    ...(unit.watches ?? []).map((path) => readIfThere(path) ?? ""),
  );
}

/** What {@link ensureUnits} did with a unit. */
export type UnitChange = "kept" | "started" | "restarted";

/**
 * Brings every unit up: keeps what runs, is healthy and was started the same way; starts the rest, each as soon as what it
 * depends on is healthy.
 * @throws UserError `lab-unit-failed` with the end of the log of the daemon that did not come up.
 */
export async function ensureUnits(
  supervision: Supervision,
  units: readonly Unit[],
  onChange: (name: string, change: UnitChange) => void,
): Promise<Map<string, UnitChange>> {
  await mkdir(supervision.recordsDir, { recursive: true, mode: 0o700 });
  await mkdir(supervision.logsDir, { recursive: true, mode: 0o700 });
  boundLogs(supervision.logsDir);
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const changes = new Map<string, UnitChange>();
  const running = new Map<string, Promise<void>>();
  const ensure = async (unit: Unit): Promise<void> => {
    await Promise.all(unit.after.map(async (name) => await running.get(name)));
    const change = await ensureUnit(supervision, unit);
    changes.set(unit.name, change);
    onChange(unit.name, change);
  };
  for (const name of startOrder(units).flat()) {
    const unit = byName.get(name);
    if (unit !== undefined) running.set(name, ensure(unit));
  }
  // All are waited for even if one fails: a daemon started a moment later would have no one to report it.
  const results = await Promise.allSettled(running.values());
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return changes;
}

const LOG_LIMIT_BYTES = 64 * 1024 ** 2;

/** Empties logs that grew too long: a lab may run for months, and nothing rotates them. */
function boundLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).size > LOG_LIMIT_BYTES) truncateSync(path);
  }
}

async function ensureUnit(supervision: Supervision, unit: Unit): Promise<UnitChange> {
  const record = runningRecord(supervision, unit.name);
  if (record === undefined) {
    await stopStrangers(supervision, unit.name);
    await start(supervision, unit);
    return "started";
  }
  if (record.fingerprint === fingerprintOf(unit)) {
    const recovered = await untilHealthy(
      unit,
      RECOVERY_MS,
      () => runningRecord(supervision, unit.name) !== undefined,
    );
    if (recovered === undefined) return "kept";
  }
  await stopUnit(supervision, unit.name, 5000);
  await start(supervision, unit);
  return "restarted";
}

/** A daemon of this name that no record knows (its starter was killed in between) would hold the port of the new one. */
async function stopStrangers(supervision: Supervision, name: string): Promise<void> {
  // Shims carry containerd's mark and must live on: they keep the pods while containerd is started anew.
  const strangers = labProcesses(supervision.cgroup).filter(
    (found) => found.unit === name && !found.name.startsWith("containerd-shim"),
  );
  for (const stranger of strangers) signal(stranger.pid, "SIGKILL");
  while (strangers.some((stranger) => statOf(stranger.pid) !== undefined)) await sleep(POLL_MS);
}

async function start(supervision: Supervision, unit: Unit): Promise<void> {
  for (const [path, text] of Object.entries(unit.files ?? {})) await writeIfChanged(path, text);
  const log = join(supervision.logsDir, `${unit.name}.log`);
  // Each start begins a new log and keeps the one before, which says why the daemon had to be started again.
  if (existsSync(log)) renameSync(log, `${log}.1`);
  // Appending, so that a log cut short by boundLogs goes on at its new end.
  const descriptor = openSync(log, "a", 0o600);
  const child = spawn(unit.command, unit.args, {
    // A session of its own: a Ctrl-C at the terminal must not reach daemons.
    detached: true,
    cwd: "/",
    ...unit.user,
    stdio: ["ignore", descriptor, descriptor],
    env: childEnv({ ...unit.env, [UNIT_VARIABLE]: unit.name }),
  });
  closeSync(descriptor);
  const spawnFailure = new Promise<Error>((resolve) => child.once("error", resolve));
  const pid = child.pid;
  const stat = pid === undefined ? undefined : statOf(pid);
  if (pid === undefined || stat === undefined) {
    const reason = pid === undefined ? (await spawnFailure).message : "it ended at once";
    throw failed(unit.name, reason, log);
  }
  child.unref();
  const record: UnitRecord = {
    name: unit.name,
    pid,
    startTicks: stat.startTicks,
    bootId: bootId(),
    fingerprint: fingerprintOf(unit),
    startedAt: new Date().toISOString(),
    ...(unit.stopSignal === undefined ? {} : { stopSignal: unit.stopSignal }),
  };
  await writeIfChanged(join(supervision.recordsDir, `${unit.name}.json`), JSON.stringify(record));
  const problem = await untilHealthy(
    unit,
    START_DEADLINE_MS,
    () => statOf(pid)?.startTicks === stat.startTicks,
  );
  if (problem !== undefined) throw failed(unit.name, problem, log);
}

/** Polls until the unit works. Undefined then, else the last problem after the time is up or the process has ended. */
async function untilHealthy(
  unit: Unit,
  timeoutMs: number,
  isAlive: () => boolean,
): Promise<string | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const problem = await unit.health();
    if (!isAlive()) return "its process ended";
    if (problem === undefined) return undefined;
    if (performance.now() > deadline) return problem;
    await sleep(POLL_MS);
  }
}

/** Ends one unit, first kindly. Nothing happens if it does not run. */
export async function stopUnit(supervision: Supervision, name: string, graceMs: number): Promise<void> {
  const record = runningRecord(supervision, name);
  const isAlive = (): boolean => record !== undefined && statOf(record.pid)?.startTicks === record.startTicks;
  if (record !== undefined && isAlive()) {
    signal(record.pid, record.stopSignal ?? "SIGTERM");
    const deadline = performance.now() + graceMs;
    while (isAlive() && performance.now() < deadline) await sleep(POLL_MS);
    if (isAlive()) signal(record.pid, "SIGKILL");
    while (isAlive()) await sleep(POLL_MS);
  }
  await rm(join(supervision.recordsDir, `${name}.json`), { force: true });
}

function failed(name: string, reason: string, log: string): UserError {
  const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n").slice(-5) : [];
  return new UserError("lab-unit-failed", `${name} of the lab did not start: ${reason}`, {
    path: log,
    exitCode: EXIT.unavailable,
    hint: `The end of its log:\n${lines.map((line) => `  ${line.slice(0, 300)}`).join("\n")}\nRun 'npx mayfly lab doctor', then 'npx mayfly lab up' again.`,
  });
}

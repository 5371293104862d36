import { existsSync, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { EXIT, UserError } from "../base/errors.ts";
import { labCgroups, removeCgroups } from "./host/cgroups.ts";
import { readIfThere } from "./host/files.ts";
import { firewallRemains, labIpsets, removeFirewall } from "./host/firewall.ts";
import { labMounts, removeMounts } from "./host/mounts.ts";
import { labInterfaces, removeInterfaces } from "./host/network.ts";
import { labProcesses, signal } from "./host/processes.ts";
import { changedSysctls, restoreSysctls } from "./host/sysctls.ts";
import { type LabPaths, RUN, RUN_DIR } from "./paths.ts";
import { LAB } from "./settings.ts";

/** What of a lab is on the machine besides its data: all empty after `lab down`. */
export interface Leftovers {
  readonly processes: readonly string[];
  readonly mounts: readonly string[];
  readonly interfaces: readonly string[];
  /** Chains, rules and IP sets. */
  readonly firewall: readonly string[];
  readonly cgroups: readonly string[];
  readonly sysctls: readonly string[];
  /** Files outside of the state folder. */
  readonly files: readonly string[];
}

/** Written by Felix for the CNI plugin, at a place that can't be chosen. */
const CALICO_FILE = "/var/lib/calico/mtu";
/** The kubelet links each container's log here, whatever its settings. */
const CONTAINER_LOGS = "/var/log/containers";
/** containerd's shims have their sockets here, whatever containerd's own settings. */
const SHIM_SOCKETS = "/run/containerd/s";
const HOST_CONTAINERD = "/run/containerd/containerd.sock";

/** Looks for everything of a lab. Takes about 0.1 s. */
export async function leftovers(paths: LabPaths): Promise<Leftovers> {
  const [firewall, sets] = await Promise.all([firewallRemains(), labIpsets()]);
  return {
    processes: labProcesses(LAB.cgroup).map(({ pid, name, unit }) => `${pid} ${name} (${unit ?? "pod"})`),
    mounts: labMounts([RUN_DIR, paths.root]),
    interfaces: labInterfaces(LAB.bridge),
    firewall: [
      ...firewall.flatMap(({ family, remains }) =>
        remains.flatMap(({ table, chains, rules }) =>
          [...chains, ...rules].map((what) => `${family} ${table} ${what}`),
        ),
      ),
      ...sets.map((name) => `ipset ${name}`),
    ],
    cgroups: labCgroups(LAB.cgroup),
    sysctls: changedSysctls(RUN.sysctls).map(({ name, now, before }) => `${name} = ${now}, was ${before}`),
    files: [RUN_DIR, CALICO_FILE, ...logLinks(paths), ...shimSockets()].filter((path) => isThere(path)),
  };
}

/** `2 processes, 1 mount`, or undefined if there is nothing. */
export function summarize(left: Leftovers): string | undefined {
  const parts = Object.entries(left).flatMap(([kind, items]: [string, readonly string[]]) =>
    items.length === 0 ? [] : [`${items.length} ${kind}`],
  );
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** Each thing that is left, one line a thing: `mount /run/mayfly-lab/…`. */
export const leftoverLines = (left: Leftovers): string[] =>
  Object.entries(left).flatMap(([kind, items]: [string, readonly string[]]) =>
    items.map((item) => `${kind}: ${item}`),
  );

/**
 * Whether what was found is a lab's. Firewall chains and pod interfaces alone are not: another Kubernetes with Calico on
 * this host has the same names, and must be left in peace.
 */
export const isOfLab = (left: Leftovers): boolean =>
  left.processes.length > 0 ||
  left.cgroups.length > 0 ||
  left.files.includes(RUN_DIR) ||
  left.interfaces.includes(LAB.bridge);

/** Removes everything of a lab that {@link leftovers} finds, in the order in which one holds the other. */
export async function removeLeftovers(paths: LabPaths): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const processes = labProcesses(LAB.cgroup);
    if (processes.length === 0 || performance.now() > deadline) break;
    for (const { pid } of processes) signal(pid, "SIGKILL");
    await sleep(50);
  }
  await removeMounts([RUN_DIR, paths.root]);
  await removeInterfaces(LAB.bridge);
  await removeFirewall();
  await removeCgroups(LAB.cgroup);
  await restoreSysctls(RUN.sysctls);
  for (const file of [CALICO_FILE, ...logLinks(paths), ...shimSockets()]) await rm(file, { force: true });
  for (const folder of ["/var/lib/calico", CONTAINER_LOGS, SHIM_SOCKETS, "/run/containerd"]) {
    await removeIfEmpty(folder);
  }
  // Addresses that pods had; without their pods nobody else would give them back.
  await rm(paths.cniData, { recursive: true, force: true });
  await rm(RUN_DIR, { recursive: true, force: true });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);

/** Links in the kubelet's fixed folder that lead into this lab's pod logs. */
const logLinks = (paths: LabPaths): string[] =>
  list(CONTAINER_LOGS)
    .map((name) => join(CONTAINER_LOGS, name))
    .filter((path) => lstatSync(path).isSymbolicLink() && readlinkSync(path).startsWith(paths.podLogs));

/** Sockets of shims that are gone; a host with a containerd of its own sweeps that folder itself. */
const shimSockets = (): string[] =>
  existsSync(HOST_CONTAINERD) ? [] : list(SHIM_SOCKETS).map((name) => join(SHIM_SOCKETS, name));

async function removeIfEmpty(folder: string): Promise<void> {
  if (existsSync(folder) && readdirSync(folder).length === 0) await rmdir(folder);
}

/** The state folder of the lab that runs on this machine, whoever started it. */
export const runningOwner = (): string | undefined => readIfThere(RUN.owner)?.trim();

/** A lab of processes is root's: others can neither see nor stop it. @throws UserError `not-root`, if one may run. */
export function requireRoot(): void {
  if (process.getuid?.() === 0 || !existsSync(RUN_DIR)) return;
  throw new UserError("not-root", "The lab runs as root's processes, and you are not root.", {
    exitCode: EXIT.denied,
    hint: "Run this command as root.",
  });
}

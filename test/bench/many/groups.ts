// CPU time and memory by what a process is for: the kernel counts both, for short-lived processes too, once each kind has a control group of
// its own. Programs put themselves there by a wrapper of one line. Needs root, as the lab does.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { hierarchies } from "../../../lab/host/cgroups.ts";
import { shellQuote } from "../../../lab/shell.ts";

/** `mayfly`: the worker and its engine processes (Node). `cli`: Pulumi's. `plugin`: the Kubernetes provider's. `kubectl`: the measure. */
export const KINDS = ["mayfly", "cli", "plugin", "kubectl"] as const;
export type Kind = (typeof KINDS)[number];

export interface Groups {
  /** Writes a script that runs `command` as one of `kind`; arguments are handed on. */
  readonly wrap: (kind: Kind, path: string, command: readonly string[]) => Promise<void>;
  /** CPU-seconds of all processes of a kind so far, ended ones too. */
  readonly cpu: (kind: Kind) => number;
  /** Living processes of a kind. */
  readonly processes: (kind: Kind) => readonly number[];
  readonly remove: () => Promise<void>;
}

/** Mount point of the hierarchy that counts CPU time. */
function hierarchy(): string {
  const all = hierarchies();
  const found =
    all.find(({ controllers }) => controllers.includes("cpuacct")) ??
    all.find(({ version }) => version === 2);
  if (found === undefined) throw new Error("no cgroup hierarchy is mounted that counts CPU time");
  return found.mountPoint;
}

/** Makes the groups. @param name Unique on this machine. */
export async function makeGroups(name: string): Promise<Groups> {
  const top = join(hierarchy(), name);
  const folder = (kind: Kind): string => join(top, kind);
  for (const kind of KINDS) await mkdir(folder(kind), { recursive: true });
  return {
    wrap: async (kind, path, command) => {
      const enter = `echo $$ > ${shellQuote(join(folder(kind), "cgroup.procs"))}`;
      const run = `exec ${command.map(shellQuote).join(" ")} "$@"`;
      await writeFile(path, `#!/bin/sh\n${enter}\n${run}\n`, { mode: 0o755 });
    },
    cpu: (kind) => cpuSeconds(folder(kind)),
    processes: (kind) =>
      readFileSync(join(folder(kind), "cgroup.procs"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map(Number),
    remove: async () => {
      // The kernel frees a group a moment after its last process.
      for (const path of [...KINDS.map(folder), top]) {
        for (let tries = 0; tries < 50; tries++) {
          try {
            await rmdir(path);
            break;
          } catch {
            await sleep(100);
          }
        }
      }
    },
  };
}

/** CPU time of a control group and all below it, in seconds; 0 where there is no such group. */
function cpuSeconds(group: string): number {
  const v1 = join(group, "cpuacct.usage");
  if (existsSync(v1)) return Number(readFileSync(v1, "utf8")) / 1e9;
  const v2 = join(group, "cpu.stat");
  if (!existsSync(v2)) return 0;
  return Number(/usage_usec (\d+)/.exec(readFileSync(v2, "utf8"))?.[1] ?? 0) / 1e6;
}

/** CPU time of a group of the lab's (lab/host/cgroups.ts), such as `kubepods`. */
export const labGroupCpu = (lab: string, group: string): number => cpuSeconds(join(hierarchy(), lab, group));

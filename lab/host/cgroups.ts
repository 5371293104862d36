import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { errorCode, isMissing } from "./files.ts";

/** One mounted cgroup hierarchy: version 1 has one per controller, version 2 a single one. */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

/** Reads `/proc/self/mounts`. Paths there write blanks as `\040`. */
export function parseHierarchies(mounts: string): Hierarchy[] {
  return mounts.split("\n").flatMap((line): Hierarchy[] => {
    const [, target, type, options] = line.split(" ");
    if (target === undefined || options === undefined || (type !== "cgroup" && type !== "cgroup2")) return [];
    const mountPoint = target.replaceAll("\\040", " ");
    if (type === "cgroup2") return [{ mountPoint, version: 2, controllers: [] }];
    return [{ mountPoint, version: 1, controllers: options.split(",") }];
  });
}

export const hierarchies = (): Hierarchy[] => parseHierarchies(readFileSync("/proc/self/mounts", "utf8"));

/** Makes the lab's own cgroup, below which the kubelet puts all pods, in every hierarchy. */
export async function createCgroups(name: string): Promise<void> {
  for (const { mountPoint, version, controllers } of hierarchies()) {
    const folder = join(mountPoint, name);
    await mkdir(folder, { recursive: true });
    if (version === 2) {
      const available = readFileSync(join(mountPoint, "cgroup.controllers"), "utf8").trim();
      const wanted = available === "" ? [] : available.split(" ").map((controller) => `+${controller}`);
      for (const parent of [mountPoint, folder]) {
        if (wanted.length > 0) await writeFile(join(parent, "cgroup.subtree_control"), wanted.join(" "));
      }
    } else if (controllers.includes("cpuset")) {
      // A new version 1 cpuset is empty, and nothing can run in it until it is given processors and memory nodes.
      for (const file of ["cpuset.cpus", "cpuset.mems"]) {
        if (readFileSync(join(folder, file), "utf8").trim() === "") {
          await writeFile(join(folder, file), readFileSync(join(mountPoint, file), "utf8"));
        }
      }
    }
  }
}

/** All cgroups at and below the lab's, deepest first. */
export function labCgroups(name: string): string[] {
  return hierarchies().flatMap(({ mountPoint }) => {
    const top = join(mountPoint, name);
    return existsSync(top) ? below(top) : [];
  });
}

function below(folder: string): string[] {
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap((entry) => below(join(folder, entry.name))), folder];
}

/** Removes them. The kernel frees a cgroup a moment after its last process, so refusals are tried again for 2 s. */
export async function removeCgroups(name: string): Promise<void> {
  const deadline = performance.now() + 2000;
  for (const folder of labCgroups(name)) {
    for (;;) {
      try {
        await rmdir(folder);
        break;
      } catch (error) {
        if (isMissing(error)) break;
        if (errorCode(error) !== "EBUSY" || performance.now() > deadline) throw error;
        await sleep(20);
      }
    }
  }
}

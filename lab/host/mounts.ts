import { readFileSync } from "node:fs";
import { run } from "./run.ts";

/** Mount points below one of the folders, deepest and latest first. Reads the text of `/proc/self/mountinfo`. */
export function mountsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return mountinfo
    .split("\n")
    .flatMap((line) => {
      const target = line.split(" ")[4];
      return target === undefined ? [] : [unescapeMount(target)];
    })
    .filter((target) => folders.some((folder) => target === folder || target.startsWith(`${folder}/`)))
    .reverse()
    .sort((one, other) => other.split("/").length - one.split("/").length);
}

/** The kernel writes blanks, tabs, line feeds and backslashes in mount points as octal numbers. */
const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

export const labMounts = (folders: readonly string[]): string[] =>
  mountsBelow(readFileSync("/proc/self/mountinfo", "utf8"), folders);

/** Unmounts all below the folders, lazily: what still holds one has been killed before. */
export async function removeMounts(folders: readonly string[]): Promise<void> {
  const mounts = labMounts(folders);
  if (mounts.length > 0) await run("umount", ["--lazy", ...mounts]);
}

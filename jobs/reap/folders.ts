import { readdir, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FolderFact } from "./types.ts";

/** Folders of the engine's operations, on this machine. */
export async function listFolders(folder: string): Promise<readonly FolderFact[]> {
  const names = await namesIn(folder);
  if (names.length === 0) return [];
  const used = await foldersInUse();
  const facts = await Promise.all(
    names.map(async (name): Promise<readonly FolderFact[]> => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      // Gone meanwhile, or no folder: not of the engine.
      if (found?.isDirectory() !== true) return [];
      const inUse =
        used === undefined ? undefined : used.some((cwd) => cwd === path || cwd.startsWith(`${path}/`));
      return [{ name, path, changedAt: found.mtimeMs, inUse }];
    }),
  );
  return facts.flat();
}

export const removeFolder = async (path: string): Promise<void> => {
  await rm(path, { recursive: true, force: true });
};

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  }
}

/** Folders in which processes work: Pulumi works in its operation's. Undefined where the system does not tell. */
async function foldersInUse(): Promise<readonly string[] | undefined> {
  if (process.platform !== "linux") return undefined;
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  // A process that has just ended, or another user's, works in no folder of ours.
  const links = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
  return links.filter((link) => link !== "");
}

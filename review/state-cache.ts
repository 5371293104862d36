import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir, projectDir } from "../base/paths.ts";
import { withFolder } from "./temporary.ts";

/** Where previews keep what can be made again: programs of old commits, and simulated states. */
export const previewCache = (): string => join(cacheDir(), "preview");

/** States and programs kept, so that switching between branches stays quick. */
const KEPT = 12;
/** Younger ones are never removed: another preview may be at work with them. */
const SAFE_MS = 60 * 60 * 1000;

/** Names one content of all files below these paths; what isn't there counts as empty. */
export async function filesDigest(root: string, paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) {
    for (const file of await filesBelow(root, path)) {
      const text = await readFile(join(root, file));
      hash.update(`${file}\0${text.length}\0`).update(text);
    }
  }
  return hash.digest("hex");
}

async function filesBelow(root: string, path: string): Promise<string[]> {
  const found = await stat(join(root, path)).catch(() => undefined);
  if (found === undefined) return [];
  if (!found.isDirectory()) return [path];
  const entries = await readdir(join(root, path), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** What a simulated state depends on beside the program. */
export interface StateKey {
  readonly stack: string;
  readonly program: string;
  readonly config: string;
}

async function digestOf(key: StateKey): Promise<string> {
  // The simulation, the tools it starts, and the packages: all of this checkout, whatever program is simulated.
  const around = await filesDigest(projectDir, ["simulation", "lab/tools", "package-lock.json"]);
  return createHash("sha256")
    .update(JSON.stringify([key, around]))
    .digest("hex")
    .slice(0, 32);
}

/** A folder with a simulated state. */
export interface CachedState {
  readonly stateDir: string;
  /** Whether it had to be made. */
  readonly made: boolean;
}

/**
 * The simulated state of a program and config, made once. Two that need the same at once may both make it; one of them is kept.
 * @param make Fills the empty folder; where it fails, nothing is kept.
 */
export async function cachedState(
  key: StateKey,
  make: (stateDir: string) => Promise<void>,
): Promise<CachedState> {
  const states = join(previewCache(), "states");
  const stateDir = join(states, await digestOf(key));
  if (await markUsed(stateDir)) return { stateDir, made: false };

  await mkdir(states, { recursive: true, mode: 0o700 });
  await withFolder(join(states, "new-"), async (fresh) => {
    await make(fresh);
    await rename(fresh, stateDir).catch(async (error: unknown) => {
      // Somebody else was quicker.
      if ((await stat(stateDir).catch(() => undefined)) === undefined) throw error;
    });
  });
  await prune(states);
  return { stateDir, made: true };
}

/** Whether a cached folder is there; its time becomes that of its last use. */
export async function markUsed(folder: string): Promise<boolean> {
  const now = new Date();
  return await utimes(folder, now, now).then(
    () => true,
    () => false,
  );
}

/** Removes those members of a cache that were not used for longest. */
export async function prune(cache: string): Promise<void> {
  const found = await Promise.all(
    (await readdir(cache)).map(async (name) => {
      const used = await stat(join(cache, name)).catch(() => undefined);
      return { name, used: used?.mtimeMs ?? 0 };
    }),
  );
  const old = found
    .sort((a, b) => b.used - a.used)
    .slice(KEPT)
    .filter(({ used }) => Date.now() - used > SAFE_MS);
  await Promise.all(old.map(({ name }) => rm(join(cache, name), { recursive: true, force: true })));
}

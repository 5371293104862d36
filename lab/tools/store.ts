import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../../base/paths.ts";
import { digest } from "../host/files.ts";
import { withLock } from "../host/lock.ts";

/** Written last into a tool's folder: a folder without it is not whole. */
const MANIFEST = "tool.json";
const DRAFT = ".draft-";
const KEEP_UNUSED_DAYS = 7;

/** Where tools and their build logs lie. */
export const toolsDir = (): string => join(cacheDir(), "tools");

/** A folder of the store. */
export interface StoredTool {
  /** Names what the folder holds; older folders of the same name are cleaned up in time. */
  readonly name: string;
  /** Names the inputs it was made from. */
  readonly key: string;
}

/** The folder of a tool, whether or not it is there. */
export const toolFolder = ({ name, key }: StoredTool, root: string = toolsDir()): string =>
  join(root, `${name}-${key}`);

/** Whether the tool is there and whole. Costs two system calls. */
export const isStored = (tool: StoredTool, root: string = toolsDir()): boolean =>
  existsSync(join(toolFolder(tool, root), MANIFEST));

/**
 * Makes a tool's folder unless it is there: `make` fills a draft folder that then takes its place in one step, so a broken
 * or killed attempt leaves nothing that looks finished. Concurrent callers wait for the first; a dead one holds nothing up.
 * @param make Fills the folder and returns what to note in its manifest.
 * @param onWait Called if another process makes this tool right now.
 * @returns The tool's folder.
 */
export async function provideFolder(
  tool: StoredTool,
  make: (draft: string) => Promise<Readonly<Record<string, string>>>,
  onWait: () => void = () => undefined,
  root: string = toolsDir(),
): Promise<string> {
  const folder = toolFolder(tool, root);
  if (isStored(tool, root)) {
    // The time of last use: it keeps the folder from being cleaned up.
    const now = new Date();
    await utimes(folder, now, now);
    return folder;
  }
  await mkdir(root, { recursive: true });
  await exclusively(folder, onWait, async () => {
    if (isStored(tool, root)) return;
    // Only the holder of the lock makes drafts of this name, so these were left by attempts that died.
    await removeWhere(root, (entry) => entry.replace(/\d+$/, "") === `${DRAFT}${tool.name}-`);
    const draft = join(root, `${DRAFT}${tool.name}-${process.pid}`);
    await mkdir(draft, { recursive: true });
    try {
      const notes = await make(draft);
      await writeFile(join(draft, MANIFEST), `${JSON.stringify({ ...tool, ...notes }, null, 2)}\n`);
      // A folder without manifest can only be left over from a clean-up that was cut short.
      await rm(folder, { recursive: true, force: true });
      await rename(draft, folder);
    } finally {
      await rm(draft, { recursive: true, force: true });
    }
    const oldest = Date.now() - KEEP_UNUSED_DAYS * 24 * 3600 * 1000;
    await removeWhere(root, async (entry) => {
      const path = join(root, entry);
      if (path === folder || !entry.startsWith(`${tool.name}-`) || !existsSync(join(path, MANIFEST)))
        return false;
      return noteOf(path, "name") === tool.name && (await stat(path)).mtimeMs < oldest;
    });
  });
  return folder;
}

/** Something the manifest of a folder says, such as `version`. */
export function noteOf(folder: string, name: string): string | undefined {
  const notes: unknown = JSON.parse(readFileSync(join(folder, MANIFEST), "utf8"));
  if (typeof notes !== "object" || notes === null) return undefined;
  const value: unknown = new Map<string, unknown>(Object.entries(notes)).get(name);
  return typeof value === "string" ? value : undefined;
}

async function exclusively(folder: string, onWait: () => void, work: () => Promise<void>): Promise<void> {
  // The lock is a Linux abstract socket. Elsewhere two callers may do the same work side by side: wasteful, not wrong.
  if (process.platform !== "linux") {
    await work();
    return;
  }
  await withLock(`tool-${digest(folder).slice(0, 16)}`, onWait, work);
}

async function removeWhere(
  root: string,
  decide: (entry: string) => boolean | Promise<boolean>,
): Promise<void> {
  for (const entry of await readdir(root)) {
    if (await decide(entry)) await rm(join(root, entry), { recursive: true, force: true });
  }
}

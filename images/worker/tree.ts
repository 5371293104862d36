import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type NeededPackage, neededPackages, runTimePackages } from "./packages.ts";
import { isForPeople, LEFT_OUT, SOURCES, STAND_IN_SOURCES } from "./recipe.ts";

/** Files of the image that come from this checkout, as paths from its root, in a fixed order. */
export async function sourceFiles(project: string, standIn: boolean): Promise<readonly string[]> {
  const files: string[] = [];
  for (const source of [...SOURCES, ...(standIn ? STAND_IN_SOURCES : [])]) {
    const path = join(project, source);
    if ((await stat(path)).isFile()) files.push(source);
    else for (const file of await filesIn(path)) files.push(join(source, file));
  }
  return files.toSorted();
}

/** The npm packages that these sources need at run time, as they are installed. */
export async function packagesOf(project: string): Promise<readonly NeededPackage[]> {
  const [manifest, lock] = await Promise.all(
    ["package.json", "package-lock.json"].map((file) => readFile(join(project, file), "utf8")),
  );
  const roots = runTimePackages(manifest ?? "", LEFT_OUT);
  return neededPackages(lock ?? "", roots, LEFT_OUT, (path) =>
    existsSync(join(project, path, "package.json")),
  );
}

/** Copies files and makes them readable by all, writable by their owner alone. */
export async function copyFiles(from: string, files: readonly string[], to: string): Promise<void> {
  for (const file of files) {
    const target = join(to, file);
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await copyFile(join(from, file), target);
    const { mode } = await stat(join(from, file));
    await chmod(target, (mode & 0o100) === 0 ? 0o644 : 0o755);
  }
}

/** Copies packages without what only people read, and without packages inside them, which are listed by themselves. */
export async function copyPackages(
  project: string,
  packages: readonly NeededPackage[],
  to: string,
): Promise<void> {
  for (const { path } of packages) {
    const files = (await filesIn(join(project, path))).filter((file) => !isForPeople(file));
    await copyFiles(join(project, path), files, join(to, path));
  }
}

/** Writes an executable of the image. */
export async function writeScript(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** Paths of all files below a folder, but for those in node_modules folders. Links are no files: packages have none. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const below = entries.map(async (entry) => {
    if (entry.isFile()) return [entry.name];
    if (!entry.isDirectory() || entry.name === "node_modules") return [];
    return (await filesIn(join(folder, entry.name))).map((file) => join(entry.name, file));
  });
  return (await Promise.all(below)).flat().toSorted();
}

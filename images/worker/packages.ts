import { z } from "zod";

const Names = z.record(z.string(), z.string()).default({});

/** As much of npm's lock file as tells what needs what. */
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().default(""),
      integrity: z.string().default(""),
      dependencies: Names,
      optionalDependencies: Names,
      peerDependencies: Names,
      peerDependenciesMeta: z
        .record(z.string(), z.object({ optional: z.boolean().default(false) }))
        .default({}),
    }),
  ),
});

/** An installed package: its folder from the project's, and what tells its content. */
export interface NeededPackage {
  readonly path: string;
  readonly version: string;
  readonly integrity: string;
}

/**
 * The packages that `roots` need, and no others, in the order of their paths. Pure.
 * @param lockFile Text of package-lock.json.
 * @param leftOut Names that are not followed, whoever asks for them.
 * @param isInstalled Whether there is a package in that folder: those for other platforms are locked, and not there.
 * @throws Error where a root is not installed.
 * https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json#packages
 */
export function neededPackages(
  lockFile: string,
  roots: readonly string[],
  leftOut: readonly string[],
  isInstalled: (path: string) => boolean,
): readonly NeededPackage[] {
  const { packages } = Lock.parse(JSON.parse(lockFile));
  const needed = new Map<string, NeededPackage>();
  const queue: string[] = [];
  const ask = (from: string, name: string, isNeeded: boolean): void => {
    if (leftOut.includes(name)) return;
    const path = find(from, name);
    if (path !== undefined) queue.push(path);
    else if (isNeeded) throw new Error(`npm package ${name} is not installed`);
  };

  /** As Node looks for it: in the asker's own folder, then in those above. */
  function find(from: string, name: string): string | undefined {
    for (let folder = from; ; ) {
      const path = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
      if (path in packages && isInstalled(path)) return path;
      if (folder === "") return undefined;
      folder = folder.slice(0, Math.max(0, folder.lastIndexOf("node_modules/") - 1));
    }
  }

  for (const name of roots) ask("", name, true);
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const found = packages[path];
    if (found === undefined || needed.has(path)) continue;
    needed.set(path, { path, version: found.version, integrity: found.integrity });
    for (const name of Object.keys(found.dependencies)) {
      // npm lists optional ones here too.
      ask(path, name, !(name in found.optionalDependencies));
    }
    for (const name of Object.keys(found.optionalDependencies)) ask(path, name, false);
    for (const name of Object.keys(found.peerDependencies)) {
      if (found.peerDependenciesMeta[name]?.optional !== true) ask(path, name, false);
    }
  }
  return [...needed.values()].toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

const Manifest = z.object({ dependencies: z.record(z.string(), z.string()) });

/** Names of the packages that a package.json asks for at run time, without those left out. */
export const runTimePackages = (packageJson: string, leftOut: readonly string[]): string[] =>
  Object.keys(Manifest.parse(JSON.parse(packageJson)).dependencies).filter((name) => !leftOut.includes(name));

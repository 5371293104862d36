import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { childEnv } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { type BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { stableTrustStore } from "./cacerts.ts";
import { runInRoot } from "./chroot.ts";
import { type Layer, packLayer } from "./layer.ts";
import { run } from "./run.ts";
import { sha256File, sha256Text } from "./sum.ts";
import { systemPath } from "./tools.ts";

/** Raise it when this file makes another layer from the same recipe. */
const BUILDER = 1;

const TRUST_STORE = "etc/ssl/certs/java/cacerts";

/** What every build leaves differently, and nobody needs: logs, caches, backups, what the container runtime provides. */
const TRACES = [
  "etc/hostname",
  "etc/hosts",
  "etc/machine-id",
  "etc/resolv.conf",
  "var/cache/apt",
  "var/cache/debconf",
  "var/cache/ldconfig/aux-cache",
  "var/lib/apt/lists",
  "var/lib/dpkg/status-old",
  "var/lib/dpkg/available-old",
  "var/log",
] as const;

/** What a base layer is made from: `BASE`, or like it. */
export interface BaseRecipe extends Omit<typeof BASE, "packages" | "emptyFolders"> {
  readonly packages: readonly string[];
  readonly emptyFolders: readonly string[];
}

/** Hash of all that a base layer is made from, but for Debian's state of the day. */
export const baseKey = (recipe: BaseRecipe): string =>
  sha256Text(JSON.stringify([recipe, SOURCE_DATE_EPOCH, TRACES, BUILDER, process.arch])).slice(0, 16);

/**
 * The layer that images of one recipe share. Made once and kept, so that two images really share it.
 * @param folder Of the kept layers.
 * @param scratch On the same file system.
 * @throws UserError `image-build-failed`
 */
export async function provideBase(
  recipe: BaseRecipe,
  folder: string,
  scratch: string,
  signal?: AbortSignal,
): Promise<Layer> {
  const path = join(folder, `base-${baseKey(recipe)}.tar`);
  const what = `Debian ${recipe.suite} with ${recipe.packages.join(", ")}`;
  if (existsSync(path)) {
    return { path, what, digest: `sha256:${await sha256File(path)}`, size: (await stat(path)).size };
  }
  await mkdir(folder, { recursive: true });
  const root = join(scratch, "base");
  const layer = await step(
    `build an image base: ${what}`,
    async (report) => {
      await bootstrap(recipe, root, report, signal);
      await makeStable(root, signal);
      return await packLayer(root, { what, paths: ["."] }, join(scratch, "base.tar"), signal);
    },
    "once, about half a minute",
  );
  await rm(root, { recursive: true, force: true });
  await rename(layer.path, path);
  return { ...layer, path };
}

async function bootstrap(
  recipe: BaseRecipe,
  root: string,
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const exclude = recipe.leftOut.map((pattern) => `--dpkgopt=path-exclude=${pattern}`);
  const include = recipe.kept.map((pattern) => `--dpkgopt=path-include=${pattern}`);
  const folders = recipe.emptyFolders.map((name) => `--setup-hook=mkdir -p "$1${name}"`);
  await run(
    "Debian by mmdebstrap",
    "mmdebstrap",
    [
      ...["--mode=root", "--variant=minbase", "--format=directory"],
      // Already merged: without this the package usrmerge brings all of Perl along.
      ...[
        "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
        `--include=usr-is-merged,${recipe.packages.join(",")}`,
      ],
      // The result is thrown away after a crash, so nothing is gained by waiting for the disk after each file.
      ...["--dpkgopt=force-unsafe-io", ...exclude, ...include, ...folders],
      ...[recipe.suite, root],
    ],
    {
      env: childEnv({ PATH: systemPath(), SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH) }),
      onOutput: (chunk) => {
        report(chunk.trim().split("\n").at(-1)?.slice(0, 80) ?? "");
      },
      ...(signal === undefined ? {} : { signal }),
    },
  );
}

async function makeStable(root: string, signal?: AbortSignal): Promise<void> {
  for (const trace of TRACES) await rm(join(root, trace), { recursive: true, force: true });
  await mkdir(join(root, "var/log"), { recursive: true });
  const store = join(root, TRUST_STORE);
  if (existsSync(store)) await writeFile(store, stableTrustStore(await readFile(store), SOURCE_DATE_EPOCH));
  if (!existsSync(join(root, "usr/bin/python3"))) return;
  // Debian's own compiled files hold the time of their source, which packing may clamp: compile them anew, by content.
  await runInRoot("Python's library", {
    root,
    user: "0:0",
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8" },
    inputs: {},
    command: [
      "/bin/sh",
      "-c",
      "python3 -m compileall -q -f --invalidation-mode unchecked-hash /usr/lib/python3*",
    ],
    signal,
  });
}

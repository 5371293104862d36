// What the images of all engines are built by, without Docker.
import { chmod, chown, cp, lutimes, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { step } from "../../base/progress.ts";
import { SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { type ImageConfig, type ImageDocuments, imageDocuments, packArchive } from "./archive.ts";
import type { Layer } from "./layer.ts";
import { run } from "./run.ts";

/** An image that was built, and what is in it. */
export interface BuiltImage extends ImageDocuments {
  readonly layers: readonly Pick<Layer, "what" | "digest" | "size">[];
}

/** A path of the image as one of a folder that holds it. */
export const relative = (path: string): string => path.replace(/^\//, "");

/**
 * A Dockerfile's context: the rendered files of the recipe, and a copy of the scripts, which may be edited while they run.
 * @returns Its folder.
 */
export async function writeContext(
  scratch: string,
  version: string,
  scripts: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const build = join(scratch, "context");
  await mkdir(join(build, version, "jvm"), { recursive: true });
  await cp(scripts, join(build, "files"), { recursive: true });
  for (const [path, content] of Object.entries(files)) await writeFile(join(build, path), content);
  return build;
}

/** Lays the base layer out in a new folder, where the engine's scripts then run. */
export async function layOutBase(base: Pick<Layer, "path">, root: string): Promise<void> {
  await mkdir(root, { recursive: true });
  const extract = ["--extract", "--file", base.path, "--directory", root, "--numeric-owner", "-p"];
  await run("base layer", "tar", extract);
  await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
}

/** Puts the layers into one archive. */
export async function finishImage(
  config: ImageConfig,
  layers: readonly Layer[],
  scratch: string,
  archive: string,
  signal: AbortSignal | undefined,
): Promise<BuiltImage> {
  const documents = imageDocuments(config, layers);
  await step(`write the archive of ${config.name}`, async () => {
    await packArchive(documents, layers, scratch, archive, signal);
  });
  return { ...documents, layers: layers.map(({ what, digest, size }) => ({ what, digest, size })) };
}

/** Owner, mode and time of a finished class-data archive: readable by all, writable by none. */
export async function settle(path: string): Promise<void> {
  await chown(path, 0, 0);
  await chmod(path, 0o444);
  await lutimes(path, SOURCE_DATE_EPOCH, SOURCE_DATE_EPOCH);
}

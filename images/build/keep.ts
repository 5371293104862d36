// Keeps the archives of images, each under a name that tells what it was made from.
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { cacheDir } from "../../base/paths.ts";

/** What lies beside each archive. */
const Note = z.strictObject({
  name: z.string(),
  id: z.string(),
  manifest: z.string().optional(),
  layers: z.array(z.strictObject({ what: z.string(), digest: z.string(), size: z.int() })),
});

/** An image as a file, for `ctr images import`, `docker load` and `kind load image-archive`. */
export interface ProvidedImage {
  /** Such as `mayfly.dev/spark:4.0.1`. */
  readonly name: string;
  /** The image id: digest of its config. Changes with the content. */
  readonly digest: string;
  /** What containerd calls the image's digest: that of its manifest. Known where no container engine built it. */
  readonly manifest?: string | undefined;
  /** Absolute path: OCI layout and docker-archive in one. */
  readonly archive: string;
  /** Bytes of each layer, uncompressed. Empty where a container engine built it. */
  readonly layers: readonly { readonly what: string; readonly digest: string; readonly size: number }[];
}

/** Folders of one build. All on one file system. */
export interface BuildPlaces {
  readonly downloads: string;
  readonly layers: string;
  /** Removed after the build, whatever happens. */
  readonly scratch: string;
}

/**
 * The image of that key, from the cache or built.
 * @param stem File name of archive and note, without their endings; begins with the kind of image and a hyphen.
 * @param build Writes the archive to the given path.
 */
export async function keepImage(
  stem: string,
  build: (places: BuildPlaces, archive: string) => Promise<Omit<ProvidedImage, "archive">>,
): Promise<ProvidedImage> {
  const folder = join(cacheDir(), "images");
  const [archive, note] = [join(folder, `${stem}.tar`), join(folder, `${stem}.json`)];
  if (existsSync(archive) && existsSync(note)) {
    const { id, ...rest } = Note.parse(JSON.parse(await readFile(note, "utf8")));
    const now = new Date();
    await utimes(note, now, now);
    return { ...rest, digest: id, archive };
  }
  await mkdir(folder, { recursive: true });
  await removeStale(folder);
  const scratch = join(folder, `${SCRATCH}${process.pid}`);
  await mkdir(scratch);
  try {
    const places = { downloads: join(folder, "downloads"), layers: join(folder, "layers"), scratch };
    const { name, digest, ...built } = await build(places, archive);
    // Last, since it says that the archive is whole and which one it is.
    const draft = join(scratch, "note.json");
    await writeFile(draft, `${JSON.stringify({ name, id: digest, ...built }, undefined, 2)}\n`);
    await rename(draft, note);
    await removeUnused(folder);
    return { name, digest, ...built, archive };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

const SCRATCH = "build-";

/** Scratch folders of builds that were killed. */
async function removeStale(folder: string): Promise<void> {
  for (const name of readdirSync(folder)) {
    const pid = Number(name.startsWith(SCRATCH) ? name.slice(SCRATCH.length) : Number.NaN);
    if (Number.isNaN(pid) || existsSync(`/proc/${pid}`)) continue;
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** What is built in a minute, and anew at each change of Mayfly, is not kept as long. */
const UNUSED_DAYS = { spark: 7, flink: 7, worker: 1 } as const;

/** Archives from older inputs, a gigabyte each, that nobody asked for in a while. */
async function removeUnused(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const limit = Object.entries(UNUSED_DAYS).find(([kind]) => name.startsWith(`${kind}-`))?.[1];
    const note = join(folder, name);
    if (limit === undefined || (Date.now() - (await stat(note)).mtimeMs) / 86_400_000 < limit) continue;
    await rm(note);
    await rm(note.replace(/json$/, "tar"), { force: true });
  }
}

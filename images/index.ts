import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";
import { cacheDir } from "../base/paths.ts";
import { BASE, SOURCE_DATE_EPOCH } from "./base/recipe.ts";
import { buildByEngine, type ContainerEngine } from "./build/engine.ts";
import { buildSparkImage, SCRIPTS } from "./build/image.ts";
import { sha256Text } from "./build/sum.ts";
import { requireTools } from "./build/tools.ts";
import { buildContext } from "./spark/context.ts";
import { type Lock, readLock } from "./spark/lock.ts";
import { SPARK_RECIPES, type SparkRecipe } from "./spark/recipe.ts";

export { missingImagePackages } from "./build/tools.ts";

/** Raise it when images/build/ makes another image from the same recipe. */
const BUILDER = 1;

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

/** Names of all images that can be provided. */
export const imageNames = (): string[] => SPARK_RECIPES.map(({ image }) => image);

/** How images are provided. */
export interface ProvideOptions {
  /** Builds by it, from the Dockerfile. Without it by our own hands, which needs root on Linux. */
  readonly engine?: ContainerEngine | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Archives of the engine images; builds those that the cache has not from the same inputs.
 * @param names Default: all.
 * @throws UserError `image-unknown`, `images-need-linux-root`, `image-tools-missing`, `image-build-failed`, `image-lock-stale`,
 * `image-download-wrong`
 */
export async function provideImages(
  names: readonly string[] = imageNames(),
  options: ProvideOptions = {},
): Promise<readonly ProvidedImage[]> {
  const recipes = names.map(recipeOf);
  const images: ProvidedImage[] = [];
  for (const recipe of recipes) images.push(await provide(recipe, options));
  return images;
}

function recipeOf(name: string): SparkRecipe {
  const recipe = SPARK_RECIPES.find(({ image }) => image === name);
  if (recipe !== undefined) return recipe;
  throw new UserError("image-unknown", `There is no recipe for the image ${name}.`, {
    exitCode: EXIT.invalidInput,
    hint: `Known are ${imageNames().join(", ")}.`,
  });
}

/** Hash of all that an image is made from, but for Debian's state of the day. */
function imageKey(recipe: SparkRecipe, lock: Lock): string {
  const scripts = readdirSync(SCRIPTS)
    .toSorted()
    .map((name) => [name, readFileSync(join(SCRIPTS, name), "utf8")]);
  const inputs = [
    recipe,
    buildContext(recipe, lock),
    scripts,
    BASE,
    SOURCE_DATE_EPOCH,
    BUILDER,
    process.arch,
  ];
  return sha256Text(JSON.stringify(inputs)).slice(0, 16);
}

async function provide(recipe: SparkRecipe, { engine, signal }: ProvideOptions): Promise<ProvidedImage> {
  const lock = readLock(recipe);
  const folder = join(cacheDir(), "images");
  const by = engine === undefined ? "" : `-${engine}`;
  const stem = join(folder, `spark-${recipe.version}${by}-${imageKey(recipe, lock)}`);
  const [archive, note] = [`${stem}.tar`, `${stem}.json`];
  if (existsSync(archive) && existsSync(note)) {
    const { id, ...rest } = Note.parse(JSON.parse(await readFile(note, "utf8")));
    const now = new Date();
    await utimes(note, now, now);
    return { ...rest, digest: id, archive };
  }
  if (engine === undefined) requireTools();
  await mkdir(folder, { recursive: true });
  await removeStale(folder);
  const scratch = join(folder, `${SCRATCH}${process.pid}`);
  await mkdir(scratch);
  try {
    const { name, digest, ...built } = await build();
    // Last, since it says that the archive is whole and which one it is.
    const draft = join(scratch, "note.json");
    await writeFile(draft, `${JSON.stringify({ name, id: digest, ...built }, undefined, 2)}\n`);
    await rename(draft, note);
    await removeUnused(folder);
    return { name, digest, ...built, archive };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }

  async function build(): Promise<Omit<ProvidedImage, "archive">> {
    const name = recipe.image;
    if (engine !== undefined) {
      return { name, digest: await buildByEngine(engine, recipe, scratch, archive, signal), layers: [] };
    }
    const places = { downloads: join(folder, "downloads"), layers: join(folder, "layers"), scratch };
    const { id, manifest, layers } = await buildSparkImage(recipe, lock, places, archive, signal);
    return { name, digest: id, manifest, layers };
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

const UNUSED_DAYS = 7;

/** Archives from older inputs, a gigabyte each, that nobody asked for in a week. */
async function removeUnused(folder: string): Promise<void> {
  for (const name of readdirSync(folder).filter((file) => /^spark-.*\.json$/.test(file))) {
    const note = join(folder, name);
    const days = (Date.now() - (await stat(note)).mtimeMs) / 86_400_000;
    if (days < UNUSED_DAYS) continue;
    await rm(note);
    await rm(note.replace(/json$/, "tar"), { force: true });
  }
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { BASE, SOURCE_DATE_EPOCH } from "./base/recipe.ts";
import { buildByEngine, type ContainerEngine } from "./build/engine.ts";
import { buildSparkImage, SCRIPTS } from "./build/image.ts";
import { keepImage, type ProvidedImage } from "./build/keep.ts";
import { sha256Text } from "./build/sum.ts";
import { requireTools } from "./build/tools.ts";
import { buildContext } from "./spark/context.ts";
import { type Lock, readLock } from "./spark/lock.ts";
import { SPARK_RECIPES, type SparkRecipe } from "./spark/recipe.ts";

export type { ProvidedImage } from "./build/keep.ts";
export { missingImagePackages } from "./build/tools.ts";
export { provideWorkerImage, type WorkerTools } from "./worker/index.ts";

/** Raise it when images/build/ makes another image from the same recipe. */
const BUILDER = 1;

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
  const by = engine === undefined ? "" : `-${engine}`;
  return await keepImage(
    `spark-${recipe.version}${by}-${imageKey(recipe, lock)}`,
    async (places, archive) => {
      const name = recipe.image;
      if (engine !== undefined) {
        const digest = await buildByEngine(engine, recipe, places.scratch, archive, signal);
        return { name, digest, layers: [] };
      }
      requireTools();
      const { id, manifest, layers } = await buildSparkImage(recipe, lock, places, archive, signal);
      return { name, digest: id, manifest, layers };
    },
  );
}

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { BASE, SOURCE_DATE_EPOCH } from "./base/recipe.ts";
import type { ImageDocuments } from "./build/archive.ts";
import { buildByEngine, type ContainerEngine, type EngineImage } from "./build/engine.ts";
import { type BuildPlaces, keepImage, type ProvidedImage } from "./build/keep.ts";
import { sha256Text } from "./build/sum.ts";
import { requireTools } from "./build/tools.ts";
import { buildFlinkImage, FLINK_SCRIPTS, S3_STUB } from "./flink/build.ts";
import { flinkContext } from "./flink/context.ts";
import { readFlinkLock } from "./flink/lock.ts";
import { FLINK_RECIPES, type FlinkRecipe } from "./flink/recipe.ts";
import { buildSparkImage, SCRIPTS } from "./spark/build.ts";
import { buildContext } from "./spark/context.ts";
import { readLock } from "./spark/lock.ts";
import { SPARK_RECIPES, type SparkRecipe } from "./spark/recipe.ts";

export type { ProvidedImage } from "./build/keep.ts";
export { missingImagePackages } from "./build/tools.ts";
export { provideWorkerImage } from "./worker/index.ts";

/** Raise it when images/build/ makes another image from the same recipe. */
const BUILDER = 1;

/** An image that there is a recipe for. */
interface KnownImage extends EngineImage {
  /** All that it is made from, but for Debian's state of the day. Reads the lock. */
  readonly inputs: () => readonly unknown[];
  /** Writes its archive by our own hands. */
  readonly build: (
    places: BuildPlaces,
    archive: string,
    signal: AbortSignal | undefined,
  ) => Promise<ImageDocuments & Pick<ProvidedImage, "layers">>;
}

const scriptsIn = (folder: string): string[][] =>
  readdirSync(folder)
    .toSorted()
    .map((name) => [name, readFileSync(join(folder, name), "utf8")]);

const sparkImage = (recipe: SparkRecipe): KnownImage => ({
  ...recipe,
  folder: "spark",
  inputs: () => [recipe, buildContext(recipe, readLock(recipe)), scriptsIn(SCRIPTS)],
  build: async (places, archive, signal) =>
    await buildSparkImage(recipe, readLock(recipe), places, archive, signal),
});

const flinkImage = (recipe: FlinkRecipe): KnownImage => ({
  ...recipe,
  folder: "flink",
  context: ".",
  inputs: () => [
    recipe,
    flinkContext(recipe, readFlinkLock(recipe)),
    scriptsIn(FLINK_SCRIPTS),
    readFileSync(S3_STUB, "utf8"),
  ],
  build: async (places, archive, signal) =>
    await buildFlinkImage(recipe, readFlinkLock(recipe), places, archive, signal),
});

const IMAGES: readonly KnownImage[] = [...SPARK_RECIPES.map(sparkImage), ...FLINK_RECIPES.map(flinkImage)];

/** Names of all images that can be provided. @param folder Of one engine: `spark` or `flink`. */
export const imageNames = (folder?: string): string[] =>
  IMAGES.filter((image) => folder === undefined || image.folder === folder).map(({ image }) => image);

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
  const known = names.map(imageOf);
  const images: ProvidedImage[] = [];
  for (const image of known) images.push(await provide(image, options));
  return images;
}

function imageOf(name: string): KnownImage {
  const known = IMAGES.find(({ image }) => image === name);
  if (known !== undefined) return known;
  throw new UserError("image-unknown", `There is no recipe for the image ${name}.`, {
    exitCode: EXIT.invalidInput,
    hint: `Known are ${imageNames().join(", ")}.`,
  });
}

const keyOf = (inputs: readonly unknown[]): string =>
  sha256Text(JSON.stringify([...inputs, BASE, SOURCE_DATE_EPOCH, BUILDER, process.arch])).slice(0, 16);

async function provide(known: KnownImage, { engine, signal }: ProvideOptions): Promise<ProvidedImage> {
  const by = engine === undefined ? "" : `-${engine}`;
  return await keepImage(
    `${known.folder}-${known.version}${by}-${keyOf(known.inputs())}`,
    async (places, archive) => {
      const name = known.image;
      if (engine !== undefined) {
        const digest = await buildByEngine(engine, known, places.scratch, archive, signal);
        return { name, digest, layers: [] };
      }
      requireTools();
      const { id, manifest, layers } = await known.build(places, archive, signal);
      return { name, digest: id, manifest, layers };
    },
  );
}

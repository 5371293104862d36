// Keeps images/ in order and builds it by hand: `bin/node scripts/images.ts lock | render | build [image…]`.
//   lock    fetches what the recipes name and writes its checksums to images/spark/<version>.lock.json
//   render  writes what `docker build` reads, from the recipes
//   build   makes the archives, as `mayfly lab up` does
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { projectDir } from "../base/paths.ts";
import { step } from "../base/progress.ts";
import { fetchJars, fetchSdist } from "../images/build/download.ts";
import { sha256File } from "../images/build/sum.ts";
import { provideImages } from "../images/index.ts";
import { buildContext } from "../images/spark/context.ts";
import { type Lock, lockPath, readLock, sdistFile } from "../images/spark/lock.ts";
import { jarFile, SPARK_RECIPES, type SparkRecipe } from "../images/spark/recipe.ts";
import { workerContext } from "../images/worker/context.ts";

async function lockOf(recipe: SparkRecipe): Promise<Lock> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-lock-"));
  try {
    await fetchSdist(`pyspark==${recipe.version}\n`, folder);
    await fetchJars(recipe, folder);
    const jars: Record<string, string> = {};
    for (const file of recipe.s3Jars.map(jarFile).toSorted()) {
      jars[file] = await sha256File(join(folder, file));
    }
    const file = sdistFile(recipe);
    return { sdist: { file, sha256: await sha256File(join(folder, file)) }, jars };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  lock: async () => {
    for (const recipe of SPARK_RECIPES) {
      await step(`lock Spark ${recipe.version}`, async () => {
        const lock = await lockOf(recipe);
        await writeFile(lockPath(recipe.version), `${JSON.stringify(lock, undefined, 2)}\n`);
      });
    }
  },
  render: async () => {
    const write = async (folder: string, files: Readonly<Record<string, string>>): Promise<void> => {
      for (const [path, content] of Object.entries(files)) {
        const file = join(projectDir, "images", folder, path);
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    };
    for (const recipe of SPARK_RECIPES) await write("spark", buildContext(recipe, readLock(recipe)));
    await write("worker", workerContext());
  },
  build: async (names) => {
    const images = await provideImages(names.length === 0 ? undefined : names);
    console.log(JSON.stringify(images, undefined, 2));
  },
};

const [name = "", ...args] = process.argv.slice(2);
try {
  const command = commands[name];
  if (command === undefined) {
    throw new UserError("usage", `There is no command '${name}'.`, {
      exitCode: EXIT.usage,
      hint: `bin/node scripts/images.ts ${Object.keys(commands).join(" | ")}`,
    });
  }
  await command(args);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error([error.message, error.path, error.hint].filter((line) => line !== undefined).join("\n"));
  process.exitCode = error.exitCode;
}

// Keeps images/ in order and builds it by hand: `bin/node scripts/images.ts lock | render | build [image…]`.
//   lock    fetches what the recipes name and writes its checksums to images/*/<version>.lock.json; `lock "Flink 2.3.0"` one of them
//   render  writes what `docker build` reads, from the recipes
//   build   makes the archives, as `mayfly lab up` does
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { projectDir } from "../base/paths.ts";
import { step } from "../base/progress.ts";
import { fetchJars, fetchSdist } from "../images/build/download.ts";
import type { Lock, Packages } from "../images/build/lock.ts";
import { jarFile } from "../images/build/maven.ts";
import { sha256File } from "../images/build/sum.ts";
import { flinkContext } from "../images/flink/context.ts";
import { flinkPackages, readFlinkLock } from "../images/flink/lock.ts";
import { FLINK_RECIPES } from "../images/flink/recipe.ts";
import { provideImages } from "../images/index.ts";
import { buildContext } from "../images/spark/context.ts";
import { readLock, sparkPackages } from "../images/spark/lock.ts";
import { SPARK_RECIPES } from "../images/spark/recipe.ts";
import { workerContext } from "../images/worker/context.ts";

async function lockOf({ requirement, jars, sdist }: Packages): Promise<Lock> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-lock-"));
  try {
    await fetchSdist(`${requirement}\n`, folder);
    await fetchJars(jars, folder);
    const sums: Record<string, string> = {};
    for (const file of jars.map(jarFile).toSorted()) sums[file] = await sha256File(join(folder, file));
    return { sdist: { file: sdist, sha256: await sha256File(join(folder, sdist)) }, jars: sums };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `docker build` reads, by path. */
const contexts = (): Record<string, string> => {
  const below = (folder: string, files: Readonly<Record<string, string>>): [string, string][] =>
    Object.entries(files).map(([path, content]) => [join(projectDir, "images", folder, path), content]);
  return Object.fromEntries<string>([
    ...SPARK_RECIPES.flatMap((recipe) => below("spark", buildContext(recipe, readLock(recipe)))),
    ...FLINK_RECIPES.flatMap((recipe) => below("flink", flinkContext(recipe, readFlinkLock(recipe)))),
    ...below("worker", workerContext()),
  ]);
};

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  lock: async (names) => {
    const all = [...SPARK_RECIPES.map(sparkPackages), ...FLINK_RECIPES.map(flinkPackages)];
    for (const packages of all.filter(({ name }) => names.length === 0 || names.includes(name))) {
      await step(`lock ${packages.name}`, async () => {
        await writeFile(packages.lockFile, `${JSON.stringify(await lockOf(packages), undefined, 2)}\n`);
      });
    }
  },
  render: async () => {
    for (const [file, content] of Object.entries(contexts())) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
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

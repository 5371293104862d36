import { chmod, chown, cp, lutimes, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { type Report, step } from "../../base/progress.ts";
import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { buildContext } from "../spark/context.ts";
import { assembleArguments, ENTRYPOINT, environment, LAYOUT, USER } from "../spark/layout.ts";
import { sparkPackages } from "../spark/lock.ts";
import type { SparkRecipe } from "../spark/recipe.ts";
import { type ImageDocuments, imageDocuments, packArchive } from "./archive.ts";
import { provideBase } from "./base.ts";
import { runInRoot } from "./chroot.ts";
import { download } from "./download.ts";
import type { BuildPlaces } from "./keep.ts";
import { type Layer, packLayer } from "./layer.ts";
import type { Lock } from "./lock.ts";
import { jarFile } from "./maven.ts";
import { run } from "./run.ts";

/** Scripts that both ways of building run inside the image. */
export const SCRIPTS = join(projectDir, "images/spark/files");

/** An image that was built, and what is in it. */
export interface BuiltImage extends ImageDocuments {
  readonly layers: readonly Pick<Layer, "what" | "digest" | "size">[];
}

const relative = (path: string): string => path.replace(/^\//, "");

/**
 * Builds one Spark image without Docker and writes its archive.
 * @throws UserError `image-build-failed`, `image-download-wrong`
 */
export async function buildSparkImage(
  recipe: SparkRecipe,
  lock: Lock,
  places: BuildPlaces,
  archive: string,
  signal?: AbortSignal,
): Promise<BuiltImage> {
  const { version, image } = recipe;
  const { scratch } = places;
  const downloads = await download(sparkPackages(recipe), lock, places.downloads, signal);
  const base = await provideBase(BASE, places.layers, scratch, signal);
  const root = join(scratch, "root");
  const build = await writeContext(recipe, lock, scratch);
  const context: Inside = { root, recipe, signal };

  await step(`lay out Spark ${version}`, async () => {
    await mkdir(root, { recursive: true });
    await run("base layer", "tar", [
      "--extract",
      "--file",
      base.path,
      "--directory",
      root,
      "--numeric-owner",
      "-p",
    ]);
    await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
    await inImage(
      context,
      `Spark ${version}`,
      "0:0",
      ["files/assemble.sh", ...assembleArguments("/tmp/build")],
      {
        files: SCRIPTS,
        jvm: join(build, version, "jvm"),
        [`download/${basename(downloads.sdist)}`]: downloads.sdist,
        ...Object.fromEntries(downloads.jars.map((path) => [`jars/${basename(path)}`, path])),
      },
    );
  });
  const s3Jars = recipe.s3Jars.map((jar) => relative(`${LAYOUT.jars}/${jarFile(jar)}`)).toSorted();
  const spark = await step(`pack Spark ${version}`, async () => [
    await packLayer(
      root,
      {
        what: `Spark ${version} from PyPI`,
        paths: ["etc/group", "etc/passwd", relative(LAYOUT.home)],
        without: s3Jars,
      },
      join(scratch, "spark.tar"),
      signal,
    ),
    await packLayer(root, { what: "S3A and AWS SDK", paths: s3Jars }, join(scratch, "s3.tar"), signal),
  ]);
  const classes = await step(
    `make the class-data archive of Spark ${version}`,
    async (report) => {
      const user = `${USER.id}:${USER.id}`;
      const command = ["files/archives.sh", recipe.credentialsProvider];
      await inImage({ ...context, report }, "class-data archive", user, command, {
        files: join(build, "files"),
      });
      await settle(join(root, relative(LAYOUT.archive)));
      const content = { what: "class-data archive", paths: [relative(LAYOUT.archive)] };
      return await packLayer(root, content, join(scratch, "classes.tar"), signal);
    },
    "a throw-away cluster runs a training job, about a minute",
  );
  const layers = [base, ...spark, classes];
  const documents = imageDocuments(
    {
      name: image,
      user: `${USER.id}:${USER.id}`,
      env: environment(recipe.scala),
      entrypoint: ENTRYPOINT,
      workDir: LAYOUT.workDir,
      labels: {
        "org.opencontainers.image.title": "Mayfly's Spark",
        "org.opencontainers.image.version": version,
        "org.opencontainers.image.licenses": "Apache-2.0",
      },
    },
    layers,
  );
  await step(`write the archive of ${image}`, async () => {
    await packArchive(documents, layers, scratch, archive, signal);
  });
  return { ...documents, layers: layers.map(({ what, digest, size }) => ({ what, digest, size })) };
}

interface Inside {
  readonly root: string;
  readonly recipe: SparkRecipe;
  readonly signal: AbortSignal | undefined;
  readonly report?: Report;
}

/** Runs one of the shared scripts in the image as it is so far. */
async function inImage(
  { root, recipe, signal, report }: Inside,
  what: string,
  user: string,
  [script, ...args]: readonly string[],
  inputs: Readonly<Record<string, string>>,
): Promise<void> {
  await runInRoot(what, {
    root,
    user,
    env: { ...environment(recipe.scala), SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH) },
    inputs,
    command: ["/bin/sh", `/tmp/build/${script ?? ""}`, ...args],
    signal,
    report,
  });
}

/** A Dockerfile's context: the rendered files of the recipe, and a copy of the scripts, which may be edited while they run. */
async function writeContext(recipe: SparkRecipe, lock: Lock, scratch: string): Promise<string> {
  const build = join(scratch, "context");
  await mkdir(join(build, recipe.version, "jvm"), { recursive: true });
  await cp(SCRIPTS, join(build, "files"), { recursive: true });
  for (const [path, content] of Object.entries(buildContext(recipe, lock))) {
    await writeFile(join(build, path), content);
  }
  return build;
}

/** Owner, mode and time of the finished archive: readable by all, writable by none. */
async function settle(path: string): Promise<void> {
  await chown(path, 0, 0);
  await chmod(path, 0o444);
  await lutimes(path, SOURCE_DATE_EPOCH, SOURCE_DATE_EPOCH);
}

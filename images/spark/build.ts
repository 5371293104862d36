import { basename, join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { type Report, step } from "../../base/progress.ts";
import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { provideBase } from "../build/base.ts";
import { runInRoot } from "../build/chroot.ts";
import { download } from "../build/download.ts";
import { type BuiltImage, finishImage, layOutBase, relative, settle, writeContext } from "../build/image.ts";
import type { BuildPlaces } from "../build/keep.ts";
import { packLayer } from "../build/layer.ts";
import type { Lock } from "../build/lock.ts";
import { jarFile } from "../build/maven.ts";
import { buildContext } from "./context.ts";
import { assembleArguments, ENTRYPOINT, environment, LAYOUT, USER } from "./layout.ts";
import { sparkPackages } from "./lock.ts";
import type { SparkRecipe } from "./recipe.ts";

/** Scripts that both ways of building run inside the image. */
export const SCRIPTS = join(projectDir, "images/spark/files");

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
  const build = await writeContext(scratch, version, SCRIPTS, buildContext(recipe, lock));
  const context: Inside = { root, recipe, signal };

  await step(`lay out Spark ${version}`, async () => {
    await layOutBase(base, root);
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
  return await finishImage(
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
    scratch,
    archive,
    signal,
  );
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

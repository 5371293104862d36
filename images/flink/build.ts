import { cp, mkdir, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { step } from "../../base/progress.ts";
import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { type ImageDocuments, imageDocuments, packArchive } from "../build/archive.ts";
import { provideBase } from "../build/base.ts";
import { runInRoot } from "../build/chroot.ts";
import { download } from "../build/download.ts";
import type { BuildPlaces } from "../build/keep.ts";
import { type Layer, packLayer } from "../build/layer.ts";
import type { Lock } from "../build/lock.ts";
import { run } from "../build/run.ts";
import { flinkContext } from "./context.ts";
import { assembleArguments, ENTRYPOINT, ENVIRONMENT, LAYOUT, USER } from "./layout.ts";
import { flinkPackages } from "./lock.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** The script that both ways of building run inside the image. */
export const FLINK_SCRIPTS = join(projectDir, "images/flink/files");

/** An image that was built, and what is in it. */
export interface BuiltFlinkImage extends ImageDocuments {
  readonly layers: readonly Pick<Layer, "what" | "digest" | "size">[];
}

const relative = (path: string): string => path.replace(/^\//, "");

/**
 * Builds one Flink image without Docker and writes its archive. Three layers: Debian with Java, which the Spark images have too; Flink; the
 * S3 plugin.
 * @throws UserError `image-build-failed`, `image-download-wrong`
 */
export async function buildFlinkImage(
  recipe: FlinkRecipe,
  lock: Lock,
  places: BuildPlaces,
  archive: string,
  signal?: AbortSignal,
): Promise<BuiltFlinkImage> {
  const { version, image } = recipe;
  const { scratch } = places;
  const downloads = await download(flinkPackages(recipe), lock, places.downloads, signal);
  const base = await provideBase(BASE, places.layers, scratch, signal);
  const root = join(scratch, "root");
  const build = await writeContext(recipe, lock, scratch);

  await step(`lay out Flink ${version}`, async () => {
    await mkdir(root, { recursive: true });
    const extract = ["--extract", "--file", base.path, "--directory", root, "--numeric-owner", "-p"];
    await run("base layer", "tar", extract);
    await writeFile(join(root, "etc/hosts"), "127.0.0.1 localhost\n");
    await runInRoot(`Flink ${version}`, {
      root,
      user: "0:0",
      env: { ...ENVIRONMENT, SOURCE_DATE_EPOCH: String(SOURCE_DATE_EPOCH) },
      inputs: {
        files: join(build, "files"),
        jvm: join(build, version, "jvm"),
        [`download/${basename(downloads.sdist)}`]: downloads.sdist,
        ...Object.fromEntries(downloads.jars.map((path) => [`jars/${basename(path)}`, path])),
      },
      command: ["/bin/sh", "/tmp/build/files/assemble.sh", ...assembleArguments("/tmp/build")],
      signal,
    });
  });
  const s3 = relative(LAYOUT.s3Plugin);
  const layers = await step(`pack Flink ${version}`, async () => [
    base,
    await packLayer(
      root,
      {
        what: `Flink ${version} from PyPI`,
        paths: ["etc/group", "etc/passwd", relative(LAYOUT.home)],
        without: [s3],
      },
      join(scratch, "flink.tar"),
      signal,
    ),
    await packLayer(root, { what: "S3 plugin", paths: [s3] }, join(scratch, "s3.tar"), signal),
  ]);
  const documents = imageDocuments(
    {
      name: image,
      user: `${USER.id}:${USER.id}`,
      env: ENVIRONMENT,
      entrypoint: ENTRYPOINT,
      workDir: LAYOUT.workDir,
      labels: {
        "org.opencontainers.image.title": "Mayfly's Flink",
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

/** A Dockerfile's context: the rendered files of the recipe, and a copy of the script, which may be edited while it runs. */
async function writeContext(recipe: FlinkRecipe, lock: Lock, scratch: string): Promise<string> {
  const build = join(scratch, "context");
  await mkdir(join(build, recipe.version, "jvm"), { recursive: true });
  await cp(FLINK_SCRIPTS, join(build, "files"), { recursive: true });
  for (const [path, content] of Object.entries(flinkContext(recipe, lock))) {
    await writeFile(join(build, path), content);
  }
  return build;
}

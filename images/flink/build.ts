import { basename, join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { step } from "../../base/progress.ts";
import { BASE, SOURCE_DATE_EPOCH } from "../base/recipe.ts";
import { provideBase } from "../build/base.ts";
import { runInRoot } from "../build/chroot.ts";
import { download } from "../build/download.ts";
import { type BuiltImage, finishImage, layOutBase, relative, settle, writeContext } from "../build/image.ts";
import type { BuildPlaces } from "../build/keep.ts";
import { packLayer } from "../build/layer.ts";
import type { Lock } from "../build/lock.ts";
import { flinkContext } from "./context.ts";
import { archiveArguments, assembleArguments, ENTRYPOINT, ENVIRONMENT, LAYOUT, USER } from "./layout.ts";
import { flinkPackages } from "./lock.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** The script that both ways of building run inside the image. */
export const FLINK_SCRIPTS = join(projectDir, "images/flink/files");

/** A pretend S3 server for the training jobs, the one that Spark's have. */
export const S3_STUB = join(projectDir, "images/spark/files/s3stub.py");

/**
 * Builds one Flink image without Docker and writes its archive. Four layers: Debian with Java, which the Spark images have too; Flink; the
 * S3 plugin; the class-data archive.
 * @throws UserError `image-build-failed`, `image-download-wrong`
 */
export async function buildFlinkImage(
  recipe: FlinkRecipe,
  lock: Lock,
  places: BuildPlaces,
  archive: string,
  signal?: AbortSignal,
): Promise<BuiltImage> {
  const { version, image } = recipe;
  const { scratch } = places;
  const downloads = await download(flinkPackages(recipe), lock, places.downloads, signal);
  const base = await provideBase(BASE, places.layers, scratch, signal);
  const root = join(scratch, "root");
  const build = await writeContext(scratch, version, FLINK_SCRIPTS, flinkContext(recipe, lock));

  await step(`lay out Flink ${version}`, async () => {
    await layOutBase(base, root);
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
  const flink = await step(`pack Flink ${version}`, async () => [
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
  const classes = await step(
    `make the class-data archive of Flink ${version}`,
    async (report) => {
      await runInRoot("class-data archive", {
        root,
        user: `${USER.id}:${USER.id}`,
        env: { ...ENVIRONMENT },
        inputs: {
          files: join(build, "files"),
          "s3stub.py": S3_STUB,
          ...Object.fromEntries(downloads.jars.map((path) => [`jars/${basename(path)}`, path])),
        },
        command: [
          "/usr/bin/python3",
          "/tmp/build/files/archives.py",
          ...archiveArguments("/tmp/build", recipe.configFile),
        ],
        signal,
        report,
      });
      await settle(join(root, relative(LAYOUT.archive)));
      const content = { what: "class-data archive", paths: [relative(LAYOUT.archive)] };
      return await packLayer(root, content, join(scratch, "classes.tar"), signal);
    },
    "a throw-away cluster runs two training jobs, about a minute",
  );
  const layers = [...flink, classes];
  return await finishImage(
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
    scratch,
    archive,
    signal,
  );
}

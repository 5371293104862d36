import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { run } from "./run.ts";

/** Programs that build and save images the same way. */
export type ContainerEngine = "docker" | "podman";

/** Variables by which people tell where their engine listens. */
const ENGINE_VARIABLES = ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST"];

/** What a Dockerfile is there for. */
export interface EngineImage {
  readonly version: string;
  readonly image: string;
  /** Below images/: has `<version>/Dockerfile`. */
  readonly folder: string;
  /** Below images/: the build context, where it is not that folder. */
  readonly context?: "." | undefined;
}

/**
 * Builds an image by a container engine, from the Dockerfile that the recipe renders, and saves it as an archive.
 * @returns The image id.
 * @throws UserError `image-build-failed`
 */
export async function buildByEngine(
  engine: ContainerEngine,
  { version, image, folder, context }: EngineImage,
  scratch: string,
  archive: string,
  signal?: AbortSignal,
): Promise<string> {
  const variables = ENGINE_VARIABLES.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const env = childEnv({ ...Object.fromEntries(variables), DOCKER_BUILDKIT: "1" });
  const options = { env, ...(signal === undefined ? {} : { signal }) };
  const images = join(projectDir, "images");
  const ids = join(scratch, "id");
  const draft = join(scratch, "archive.tar");
  await step(
    `build ${image} by ${engine}`,
    async () => {
      const args = [
        "build",
        "--tag",
        image,
        "--iidfile",
        ids,
        "--file",
        join(images, folder, version, "Dockerfile"),
      ];
      await run(`image ${image}`, engine, [...args, join(images, context ?? folder)], options);
      await run(`archive of ${image}`, engine, ["save", "--output", draft, image], options);
    },
    "a few minutes",
  );
  await rename(draft, archive);
  return (await readFile(ids, "utf8")).trim();
}

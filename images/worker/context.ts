import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { workerDockerfile, workerIgnore } from "./dockerfile.ts";

const Manifest = z.object({ version: z.string().min(1) });

/** Version of an installed npm package. */
export const packageVersion = (name: string): string => {
  const path = join(projectDir, "node_modules", name, "package.json");
  return Manifest.parse(JSON.parse(readFileSync(path, "utf8"))).version;
};

/**
 * The files that `docker build` reads, rendered from the recipe: path below images/worker to content. They are committed, so that it works
 * in a plain clone; a test compares them with this.
 */
export const workerContext = (): Readonly<Record<string, string>> => ({
  Dockerfile: workerDockerfile({
    node: packageVersion("node").split(".")[0] ?? "",
    pulumi: packageVersion("@pulumi/pulumi"),
    plugin: packageVersion("@pulumi/kubernetes"),
  }),
  "Dockerfile.dockerignore": workerIgnore(),
});

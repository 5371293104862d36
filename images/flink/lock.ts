import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { type Lock, type Packages, readPackageLock } from "../build/lock.ts";
import type { FlinkRecipe } from "./recipe.ts";

/** What a Flink image fetches: its libraries from PyPI, the S3 plugin, and what it is built by. */
export const flinkPackages = ({ version, sdist, size, s3Jars, buildJars }: FlinkRecipe): Packages => ({
  name: `Flink ${version}`,
  size,
  requirement: `apache-flink-libraries==${version}`,
  sdist,
  jars: [...s3Jars, ...buildJars],
  lockFile: join(projectDir, "images/flink", `${version}.lock.json`),
});

/**
 * Reads a recipe's committed lock.
 * @throws UserError `image-lock-stale`
 */
export const readFlinkLock = (recipe: FlinkRecipe): Lock => readPackageLock(flinkPackages(recipe));

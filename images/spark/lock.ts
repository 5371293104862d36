import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { type Lock, type Packages, readPackageLock } from "../build/lock.ts";
import type { SparkRecipe } from "./recipe.ts";

/** What a Spark image fetches: Spark itself, whose source archive on PyPI holds the jars, and the S3 jars. */
export const sparkPackages = ({ version, s3Jars }: SparkRecipe): Packages => ({
  name: `Spark ${version}`,
  size: "310 to 430 MB",
  requirement: `pyspark==${version}`,
  sdist: `pyspark-${version}.tar.gz`,
  jars: s3Jars,
  lockFile: join(projectDir, "images/spark", `${version}.lock.json`),
});

/**
 * Reads a recipe's committed lock, or another one.
 * @throws UserError `image-lock-stale`
 */
export const readLock = (recipe: SparkRecipe, path?: string): Lock =>
  readPackageLock(sparkPackages(recipe), path);

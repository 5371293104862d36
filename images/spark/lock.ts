import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { projectDir } from "../../base/paths.ts";
import { jarFile, type SparkRecipe } from "./recipe.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What a recipe's downloads must hash to. */
export const Lock = z.strictObject({
  sdist: z.strictObject({ file: z.string().regex(/^pyspark-[\w.]+\.tar\.gz$/), sha256: Sha256 }),
  jars: z.record(z.string().regex(/^[\w.-]+\.jar$/), Sha256),
});
export type Lock = z.infer<typeof Lock>;

/** The committed lock file of a version. */
export const lockPath = (version: string): string => join(projectDir, "images/spark", `${version}.lock.json`);

const stale = (message: string, path: string): UserError =>
  new UserError("image-lock-stale", message, {
    path,
    hint: "Write it anew with 'bin/node scripts/images.ts lock', look at what changed, and commit it.",
    exitCode: EXIT.invalidInput,
  });

/**
 * Reads a recipe's lock and checks that it locks exactly what the recipe asks for.
 * @throws UserError `image-lock-stale`
 */
export function readLock(recipe: SparkRecipe, path: string = lockPath(recipe.version)): Lock {
  if (!existsSync(path)) throw stale(`Nothing is locked for Spark ${recipe.version}.`, path);
  const parsed = Lock.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw stale(z.prettifyError(parsed.error), path);
  const asked = recipe.s3Jars.map(jarFile);
  const locked = Object.keys(parsed.data.jars);
  const missing = asked.filter((file) => !locked.includes(file));
  const extra = locked.filter((file) => !asked.includes(file));
  const complaints = [
    ...missing.map((file) => `${file} is not locked`),
    ...extra.map((file) => `${file} is locked, but not in the recipe`),
    ...(parsed.data.sdist.file === sdistFile(recipe)
      ? []
      : [`${parsed.data.sdist.file} is locked instead of ${sdistFile(recipe)}`]),
  ];
  if (complaints.length > 0) throw stale(complaints.join("; "), path);
  return parsed.data;
}

/** Name of Spark's source archive on PyPI: it holds the jars. */
export const sdistFile = ({ version }: SparkRecipe): string => `pyspark-${version}.tar.gz`;

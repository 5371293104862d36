import { existsSync, readFileSync } from "node:fs";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { jarFile, type MavenJar } from "./maven.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** What a recipe's downloads must hash to. */
export const Lock = z.strictObject({
  sdist: z.strictObject({ file: z.string().regex(/^[\w.-]+\.tar\.gz$/), sha256: Sha256 }),
  jars: z.record(z.string().regex(/^[\w.-]+\.jar$/), Sha256),
});
export type Lock = z.infer<typeof Lock>;

/** What an image fetches. */
export interface Packages {
  /** Such as `Spark 4.0.1`. */
  readonly name: string;
  /** Of its archive on PyPI, for people: `310 to 430 MB`. */
  readonly size: string;
  /** `pyspark==4.0.1` */
  readonly requirement: string;
  /** File name of the source archive on PyPI. */
  readonly sdist: string;
  readonly jars: readonly MavenJar[];
  /** Path of the lock file. */
  readonly lockFile: string;
}

const stale = (message: string, path: string): UserError =>
  new UserError("image-lock-stale", message, {
    path,
    hint: "Write it anew with 'bin/node scripts/images.ts lock', look at what changed, and commit it.",
    exitCode: EXIT.invalidInput,
  });

/**
 * Reads a lock and checks that it locks exactly what the image asks for.
 * @throws UserError `image-lock-stale`
 */
export function readPackageLock(packages: Packages, path: string = packages.lockFile): Lock {
  if (!existsSync(path)) throw stale(`Nothing is locked for ${packages.name}.`, path);
  const parsed = Lock.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw stale(z.prettifyError(parsed.error), path);
  const asked = packages.jars.map(jarFile);
  const locked = Object.keys(parsed.data.jars);
  const missing = asked.filter((file) => !locked.includes(file));
  const extra = locked.filter((file) => !asked.includes(file));
  const complaints = [
    ...missing.map((file) => `${file} is not locked`),
    ...extra.map((file) => `${file} is locked, but not in the recipe`),
    ...(parsed.data.sdist.file === packages.sdist
      ? []
      : [`${parsed.data.sdist.file} is locked instead of ${packages.sdist}`]),
  ];
  if (complaints.length > 0) throw stale(complaints.join("; "), path);
  return parsed.data;
}

/** A line for pip that takes the archive by its hash, or not at all. */
export const lockedRequirement = ({ requirement }: Packages, { sdist }: Lock): string =>
  `${requirement} --hash=sha256:${sdist.sha256}\n`;

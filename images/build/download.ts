import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { EXIT, UserError } from "../../base/errors.ts";
import { step } from "../../base/progress.ts";
import { type Lock, lockedRequirement, type Packages } from "./lock.ts";
import { jarFile, type MavenJar, pom } from "./maven.ts";
import { clientEnv, run } from "./run.ts";
import { sha256File } from "./sum.ts";

/** Where the verified downloads of a recipe lie. */
export interface Downloads {
  readonly sdist: string;
  /** Absolute paths. */
  readonly jars: readonly string[];
}

/** True if the file is there and is what the lock says. A wrong one is removed: a torn download, or another lock's. */
async function verified(path: string, sum: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  if ((await sha256File(path)) === sum) return true;
  await rm(path);
  return false;
}

const wrong = (file: string, path: string): UserError =>
  new UserError("image-download-wrong", `${file} is not what its lock file in images/ says.`, {
    path,
    exitCode: EXIT.unavailable,
    hint: "A mirror between here and the registry serves another file. Nothing of it was used.",
  });

/**
 * An engine's archive from PyPI and the jars from Maven Central, by the ordinary clients, each checked against the lock.
 * @param folder Keeps them for the next time.
 * @throws UserError `image-download-wrong`, `image-build-failed`
 */
export async function download(
  packages: Packages,
  lock: Lock,
  folder: string,
  signal?: AbortSignal,
): Promise<Downloads> {
  await mkdir(folder, { recursive: true });
  const sdist = join(folder, lock.sdist.file);
  if (!(await verified(sdist, lock.sdist.sha256))) {
    await step(`fetch ${packages.name} from PyPI (${packages.size})`, async () => {
      await into(folder, async (draft) => {
        await fetchSdist(lockedRequirement(packages, lock), draft, signal);
        if (!(await verified(join(draft, lock.sdist.file), lock.sdist.sha256)))
          throw wrong(lock.sdist.file, sdist);
        await rename(join(draft, lock.sdist.file), sdist);
      });
    });
  }
  const files = packages.jars.map(jarFile);
  const present = await Promise.all(files.map((file) => verified(join(folder, file), lock.jars[file] ?? "")));
  if (present.includes(false)) {
    await step(`fetch ${files.length} S3 jars for ${packages.name} from Maven Central`, async () => {
      await into(folder, async (draft) => {
        await fetchJars(packages.jars, draft, signal);
        for (const file of files) {
          if (!(await verified(join(draft, file), lock.jars[file] ?? "")))
            throw wrong(file, join(folder, file));
          await rename(join(draft, file), join(folder, file));
        }
      });
    });
  }
  return { sdist, jars: files.map((file) => join(folder, file)) };
}

/** An engine's archive into a folder. @param wanted A line for pip, such as `pyspark==4.0.1 --hash=sha256:…`. */
export async function fetchSdist(wanted: string, folder: string, signal?: AbortSignal): Promise<void> {
  const list = join(folder, "requirements.txt");
  await writeFile(list, wanted);
  const hashes = wanted.includes("--hash=") ? ["--require-hashes"] : [];
  await run(
    "archive from PyPI",
    "pip3",
    [
      ...["download", "-q", "--no-deps", "--no-binary=:all:", "--no-cache-dir", ...hashes],
      ...["-d", folder, "-r", list],
    ],
    { env: clientEnv(), ...(signal === undefined ? {} : { signal }) },
  );
}

/** Jars into a folder, unchecked. */
export async function fetchJars(
  jars: readonly MavenJar[],
  folder: string,
  signal?: AbortSignal,
): Promise<void> {
  const project = join(folder, "pom.xml");
  await writeFile(project, pom(jars));
  await run(
    "S3 jars from Maven Central",
    "mvn",
    ["-B", "-q", "-f", project, "dependency:copy", `-DoutputDirectory=${folder}`],
    { env: clientEnv(), ...(signal === undefined ? {} : { signal }) },
  );
}

/** Works in a folder beside the final one, so that what is renamed out of it is whole. */
async function into(folder: string, work: (draft: string) => Promise<void>): Promise<void> {
  const draft = await mkdtemp(join(folder, "draft-"));
  try {
    await work(draft);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

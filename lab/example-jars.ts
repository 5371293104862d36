import { readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "../base/errors.ts";
import { cacheDir, projectDir } from "../base/paths.ts";
import { childEnv, execute } from "../base/process.ts";
import { step } from "../base/progress.ts";
import { digest, readIfThere, writeIfChanged } from "./host/files.ts";
import { ensurePackages } from "./host/packages.ts";
import { findProgram } from "./host/requirements.ts";
import type { LabPaths } from "./paths.ts";
import { say } from "./say.ts";
import { labStore } from "./store.ts";

const BUCKET = "demo-code";
const PROJECT = join(projectDir, "examples", "flink-jobs");

/** flink-jobs-v2.jar has the second version of KeyedCounts, which a stream of the first is upgraded to. */
const JARS = [
  { jar: "flink-jobs", counts: "v1" },
  { jar: "flink-jobs-v2", counts: "v2" },
] as const;

/** Programs that build them, and the Debian package of each. */
const PROGRAMS = { mvn: "maven", javac: "default-jdk-headless" } as const;

/**
 * Builds the Flink examples' jars with Maven and puts them where their job specs look for them, `s3://demo-code/flink-jobs/`; again only
 * when their sources changed. A machine that can't build them has a lab all the same, and is told.
 */
export async function publishExampleJars(paths: LabPaths): Promise<void> {
  const wanted = digestOf(PROJECT);
  const marker = join(paths.root, "example-jars.sha256");
  if (readIfThere(marker) === wanted) return;
  try {
    await buildExampleJars();
    await writeIfChanged(marker, wanted);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(`The jars of the Flink examples are missing: ${error.message} ${error.hint ?? ""}`);
  }
}

/** The same in any case. @throws UserError `packages-missing`, `maven-failed` */
export async function buildExampleJars(): Promise<void> {
  const missing = Object.entries(PROGRAMS).flatMap(([name, debian]) =>
    findProgram(name) === undefined ? [debian] : [],
  );
  if (missing.length > 0) {
    await step("Maven", async (report) => {
      await ensurePackages(missing, report);
    });
  }
  const store = await labStore();
  await step(`Flink examples in s3://${BUCKET}/flink-jobs`, async (report) => {
    for (const { jar, counts } of JARS) {
      report(`Maven builds ${jar}.jar`);
      const body = readFileSync(await build(jar, counts));
      await store.put(BUCKET, `flink-jobs/${jar}.jar`, body);
    }
  });
}

/** @returns The jar's path. */
async function build(jar: string, counts: string): Promise<string> {
  const target = join(cacheDir(), "examples", jar);
  await mkdir(target, { recursive: true });
  const { code, stdout, stderr } = await execute(
    "mvn",
    [
      ...["-B", "-q", "-f", join(PROJECT, "pom.xml")],
      ...[`-Dtarget=${target}`, `-Djar=${jar}`, `-Dcounts=${counts}`, "package"],
    ],
    { env: childEnv({}) },
  );
  if (code !== 0) {
    throw new UserError("maven-failed", `Maven could not build ${jar}.jar.`, {
      path: join(PROJECT, "pom.xml"),
      hint: `What it said: ${`${stdout}${stderr}`.trim().split("\n").slice(0, 5).join(" | ")}`,
    });
  }
  return join(target, `${jar}.jar`);
}

function digestOf(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .sort()
    .filter((name) => statSync(join(folder, name)).isFile());
  return digest(...files.flatMap((name) => [name, readFileSync(join(folder, name))]));
}

// What Flink's tests need of the lab: the lab itself, two versions' images, the examples' jars.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { readIfThere, writeIfChanged } from "../../lab/host/files.ts";
import { labUp } from "../../lab/index.ts";
import { labPaths } from "../../lab/paths.ts";
import { labStore } from "../../lab/store.ts";

const IMAGES = ["mayfly.dev/flink:2.3.0", "mayfly.dev/flink:1.20.1"];
const JARS = ["flink-jobs/flink-jobs.jar", "flink-jobs/flink-jobs-v2.jar"];
const SOURCES = join(projectDir, "examples", "flink-jobs");

/** Sets up what is missing. @throws UserError where the lab can't be had; Error with what a build said */
export async function setUp(): Promise<void> {
  await labUp({});
  // It builds only what the lab has not yet.
  await command("bin/mayfly", ["lab", "images", ...IMAGES]);
  await provideJars();
}

/** Builds the jars and puts them into the lab's S3, again only where their sources changed. */
async function provideJars(): Promise<void> {
  const marker = join(labPaths().root, "flink-jobs.sha256");
  const hash = createHash("sha256");
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" }).sort()) {
    if (/\.(java|xml|ts)$/.test(name)) hash.update(name).update(readFileSync(join(SOURCES, name)));
  }
  const digest = hash.digest("hex");
  const there = await (await labStore()).list("demo-code", "flink-jobs/");
  if (readIfThere(marker) === digest && JARS.every((jar) => there.includes(jar))) return;
  await command("bin/node", ["examples/flink-jobs/build.ts"]);
  await writeIfChanged(marker, digest);
}

async function command(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await execute(program, args, { cwd: projectDir, env: childEnv() });
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}:\n${stdout}${stderr}`);
}

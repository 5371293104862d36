// Builds the Flink examples' jar with Maven and puts it into the lab's S3 store, where their job specs look for it.
// Usage: bin/node examples/flink-jobs/build.ts            needs mvn and a JDK (javac) of version 11 or later
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { labStore } from "../../lab/store.ts";

const BUCKET = "demo-code";
const KEY = "flink-jobs/flink-jobs.jar";

const target = join(cacheDir(), "examples", "flink-jobs");
await step("build the Flink examples with Maven", async () => {
  await mkdir(target, { recursive: true });
  const project = join(import.meta.dirname, "pom.xml");
  const { code, stdout, stderr } = await execute(
    "mvn",
    ["-B", "-q", "-f", project, `-Dtarget=${target}`, "package"],
    { env: childEnv({}) },
  );
  if (code !== 0) throw new Error(`mvn failed:\n${stdout}${stderr}`);
});
await step(`s3://${BUCKET}/${KEY}`, async () => {
  await (await labStore()).put(BUCKET, KEY, await readFile(join(target, "flink-jobs.jar")));
});

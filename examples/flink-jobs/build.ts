// Builds the Flink examples' jars with Maven and puts them into the lab's S3 store, where their job specs look for them: flink-jobs.jar,
// and flink-jobs-v2.jar, which has the second version of KeyedCounts.
// Usage: bin/node examples/flink-jobs/build.ts            needs mvn and a JDK (javac) of version 11 or later
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "../../base/paths.ts";
import { childEnv, execute } from "../../base/process.ts";
import { step } from "../../base/progress.ts";
import { labStore } from "../../lab/store.ts";

const BUCKET = "demo-code";
const JARS = [
  { jar: "flink-jobs", counts: "v1" },
  { jar: "flink-jobs-v2", counts: "v2" },
] as const;

const store = await labStore();
for (const { jar, counts } of JARS) {
  const target = join(cacheDir(), "examples", jar);
  await step(`build ${jar}.jar with Maven`, async () => {
    await mkdir(target, { recursive: true });
    const { code, stdout, stderr } = await execute(
      "mvn",
      [
        ...["-B", "-q", "-f", join(import.meta.dirname, "pom.xml")],
        ...[`-Dtarget=${target}`, `-Djar=${jar}`, `-Dcounts=${counts}`, "package"],
      ],
      { env: childEnv({}) },
    );
    if (code !== 0) throw new Error(`mvn failed:\n${stdout}${stderr}`);
  });
  const key = `flink-jobs/${jar}.jar`;
  await step(`s3://${BUCKET}/${key}`, async () => {
    await store.put(BUCKET, key, await readFile(join(target, `${jar}.jar`)));
  });
}

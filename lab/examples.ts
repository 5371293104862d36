import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../base/paths.ts";
import { step } from "../base/progress.ts";
import { digest, readIfThere, writeIfChanged } from "./host/files.ts";
import type { LabPaths } from "./paths.ts";
import { labStore } from "./store.ts";

const BUCKET = "demo-code";

/** Puts the examples' code where their job specs look for it, `s3://demo-code/<example>/`; again only when it changed. */
export async function publishExamples(paths: LabPaths): Promise<void> {
  const folder = join(projectDir, "examples");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".py"))
    .sort()
    .map((key) => ({ key, body: readFileSync(join(folder, key)) }));
  const wanted = digest(...files.flatMap(({ key, body }) => [key, body]));
  const marker = join(paths.root, "examples.sha256");
  if (readIfThere(marker) === wanted) return;
  await step(`examples in s3://${BUCKET}`, async () => {
    const store = await labStore();
    await Promise.all(files.map(({ key, body }) => store.put(BUCKET, key, body)));
  });
  await writeIfChanged(marker, wanted);
}

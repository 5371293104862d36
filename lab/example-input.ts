import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDir } from "../base/paths.ts";
import { step } from "../base/progress.ts";
import { writeIfChanged } from "./host/files.ts";
import type { LabPaths } from "./paths.ts";
import { labStore } from "./store.ts";

const BUCKET = "demo-input";
const PREFIX = "wordcount/";
const PARTS = 8;
const DEFAULT_MIB = 200;

/** Puts the word counts' input into a lab that has none yet. */
export async function publishExampleInput(paths: LabPaths): Promise<void> {
  const marker = join(paths.root, "example-input");
  if (existsSync(marker)) return;
  if ((await presentInput()).length === 0) await putExampleInput(DEFAULT_MIB);
  await writeIfChanged(marker, `s3://${BUCKET}/${PREFIX}\n`);
}

/** What of it is in the lab's S3 store, by key. */
export const presentInput = async (): Promise<readonly string[]> =>
  await (await labStore()).list(BUCKET, PREFIX);

/** Replaces it by real texts of free licences, repeated to at least so many MiB. */
export async function putExampleInput(mib: number): Promise<void> {
  const store = await labStore();
  await step(`put ${mib} MiB of licence texts into s3://${BUCKET}/${PREFIX}`, async (report) => {
    await store.clear(BUCKET, PREFIX);
    const text = await licenceTexts();
    const repeats = Math.ceil((mib * 1024 * 1024) / PARTS / text.length);
    const part = Buffer.concat(Array.from({ length: repeats }, () => text));
    for (let index = 0; index < PARTS; index++) {
      report(`part ${index + 1} of ${PARTS}`);
      await store.put(BUCKET, `${PREFIX}licences-${index}.txt`, part);
    }
  });
}

/** Debian ships the texts of the common free licences; elsewhere this project's own licence serves. */
async function licenceTexts(): Promise<Buffer> {
  const folder = "/usr/share/common-licenses";
  const names = (await readdir(folder).catch(() => [])).sort();
  const texts = names.length === 0 ? [join(projectDir, "LICENSE")] : names.map((name) => join(folder, name));
  return Buffer.concat(await Promise.all(texts.map((path) => readFile(path))));
}

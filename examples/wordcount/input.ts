// Makes the word count's input: real texts of free licences, repeated to at least 200 MiB, put into the lab's S3 store.
// Usage: bin/node examples/wordcount/input.ts [--mib 200] [--if-missing]
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { projectDir } from "../../base/paths.ts";
import { step } from "../../base/progress.ts";
import { labStore } from "../../lab/store.ts";

const BUCKET = "demo-input";
const PREFIX = "wordcount/";
const PARTS = 8;

/** Debian ships the texts of the common free licences; elsewhere this project's own licence serves. */
async function licenceTexts(): Promise<Buffer> {
  const folder = "/usr/share/common-licenses";
  const names = (await readdir(folder).catch(() => [])).sort();
  const paths = names.length === 0 ? [join(projectDir, "LICENSE")] : names.map((name) => join(folder, name));
  return Buffer.concat(await Promise.all(paths.map((path) => readFile(path))));
}

const { values } = parseArgs({
  options: { mib: { type: "string", default: "200" }, "if-missing": { type: "boolean", default: false } },
});
const mib = Number(values.mib);
if (!Number.isInteger(mib) || mib < 1)
  throw new Error(`--mib must be a whole number of MiB, not ${values.mib}`);

const store = await labStore();
const target = `s3://${BUCKET}/${PREFIX}`;
const present = await store.list(BUCKET, PREFIX);
if (values["if-missing"] && present.length > 0) {
  console.error(`${target} has ${present.length} objects already; left as they are`);
} else {
  await step(`put ${mib} MiB of licence texts into ${target}`, async (report) => {
    await Promise.all(present.map((key) => store.remove(BUCKET, key)));
    const text = await licenceTexts();
    const repeats = Math.ceil((mib * 1024 * 1024) / PARTS / text.length);
    const part = Buffer.concat(Array.from({ length: repeats }, () => text));
    for (let index = 0; index < PARTS; index++) {
      report(`part ${index + 1} of ${PARTS}`);
      await store.put(BUCKET, `${PREFIX}licences-${index}.txt`, part);
    }
  });
}

// Proves that a counting stream lost nothing and counted nothing twice: bin/node examples/flink-stream/check.ts [s3://output/] [--upto N]
// Reads what is committed, also while the stream runs. With --upto all numbers below N must be there. Exits 1 with the first offence.
import { parseArgs } from "node:util";
import { checkCounts, Offence } from "./counts.ts";
import { readCounted } from "./output.ts";

const { values, positionals } = parseArgs({
  options: { upto: { type: "string", default: "0" } },
  allowPositionals: true,
});
const location = positionals[0] ?? "s3://demo-output/flink-stream/";
const upto = Number(values.upto);
if (!Number.isSafeInteger(upto) || upto < 0)
  throw new Error(`--upto must be a whole number, not ${values.upto}`);

try {
  const files = await readCounted(location);
  const { lines, keys, byFields, whole } = checkCounts(files, upto);
  if (lines === 0) throw new Offence(`there is nothing under ${location}`);
  const versions = [...byFields].map(([fields, count]) => `${count} of ${fields} fields`).join(", ");
  console.log(`exact: ${lines} numbers (${versions}) of ${keys} keys in ${files.length} files, each once`);
  console.log(`whole up to ${whole}`);
} catch (error) {
  if (!(error instanceof Offence)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

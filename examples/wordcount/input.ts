// Makes the word counts' input anew: real texts of free licences, repeated to at least so many MiB. `mayfly lab up` makes it where it is missing.
// Usage: bin/node examples/wordcount/input.ts [--mib 200] [--if-missing]
import { parseArgs } from "node:util";
import { presentInput, putExampleInput } from "../../lab/example-input.ts";

const { values } = parseArgs({
  options: { mib: { type: "string", default: "200" }, "if-missing": { type: "boolean", default: false } },
});
const mib = Number(values.mib);
if (!Number.isInteger(mib) || mib < 1)
  throw new Error(`--mib must be a whole number of MiB, not ${values.mib}`);

const present = values["if-missing"] ? (await presentInput()).length : 0;
if (present > 0) console.error(`the input has ${present} objects already; left as they are`);
else await putExampleInput(mib);

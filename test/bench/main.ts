// `npm run bench -- run`: prints figures beside what they are compared to, in one run, since machines are noisy. Gates nothing.
import { parseArgs } from "node:util";
import { UserError } from "../../base/errors.ts";
import { printError } from "../../jobs/cli/output.ts";
import { benchRun } from "./run.ts";

const USAGE = `Usage: npm run bench -- run [--runs 5] [--job examples/pi/job.yaml] [--json]

  run   whole runs of a job, beside kubectl apply and delete of the same manifests`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    job: { type: "string", default: "examples/pi/job.yaml" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const runs = Number(values.runs);
if (values.help) {
  console.log(USAGE);
} else if (positionals[0] !== "run" || !Number.isInteger(runs) || runs < 1) {
  console.error(USAGE);
  process.exitCode = 64;
} else {
  try {
    await benchRun({ runs, job: values.job, json: values.json });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(error, values.json);
    process.exitCode = error.exitCode;
  }
}

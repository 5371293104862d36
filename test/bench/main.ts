// `npm run bench -- run|many|streams`: prints figures beside what they are compared to, in one run, since machines are noisy. Gates nothing.
import { parseArgs } from "node:util";
import { UserError } from "../../base/errors.ts";
import { printError } from "../../jobs/cli/output.ts";
import { benchMany, PARTS, type Part } from "./many/main.ts";
import { benchRun } from "./run.ts";
import { benchStreams, STREAM_PARTS, type StreamPart } from "./streams/main.ts";

const USAGE = `Usage: npm run bench -- run [--runs 5] [--job examples/pi/job.yaml] [--json]
       npm run bench -- many [--runs 100] [--slots 6] [--rounds 1] [--only runs,kubectl,burst,cancel] [--json]
       npm run bench -- streams [--runs 3] [--only cycle,mixed] [--json]

  run      whole runs of a job, beside kubectl apply and delete of the same manifests
  many     runs that end at once, from a queue of 200, through a worker; a burst of 30; cancels. Needs root, as the lab does
  streams  a Flink stream resumed, killed, suspended: how long, and whose time it is; then 2 streams and 10 batch runs at once`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string" },
    job: { type: "string", default: "examples/pi/job.yaml" },
    slots: { type: "string", default: "6" },
    rounds: { type: "string", default: "1" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const isPart = (text: string): text is Part => PARTS.some((part) => part === text);
const isStreamPart = (text: string): text is StreamPart => STREAM_PARTS.some((part) => part === text);

/** How often, where the command line does not say. */
const RUNS: Readonly<Record<string, number>> = { run: 5, many: 100, streams: 3 };

function work(): (() => Promise<void>) | undefined {
  const { job, json } = values;
  const [what = ""] = positionals;
  const runs = Number(values.runs ?? RUNS[what]);
  const [slots, rounds] = [Number(values.slots), Number(values.rounds)];
  if ([runs, slots, rounds].some((count) => !Number.isInteger(count) || count < 1)) return undefined;
  const only = values.only?.split(",");
  const known = what === "streams" ? isStreamPart : isPart;
  if (only?.some((word) => !known(word)) === true) return undefined;
  if (what === "run") return () => benchRun({ runs, job, json });
  if (what === "many")
    return () => benchMany({ runs, slots, rounds, parts: only?.filter(isPart) ?? PARTS, json });
  if (what === "streams")
    return () => benchStreams({ runs, parts: only?.filter(isStreamPart) ?? STREAM_PARTS, json });
  return undefined;
}

const chosen = work();
if (values.help) {
  console.log(USAGE);
} else if (chosen === undefined) {
  console.error(USAGE);
  process.exitCode = 64;
} else {
  try {
    await chosen();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(error, values.json);
    // What was under way when it failed may still hold the process.
    process.exit(error.exitCode);
  }
}

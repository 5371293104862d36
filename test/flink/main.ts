// `npm run test:flink`: what needs Flink clusters, on the real lab: the tests of vitest's project `flink`, and then each fault of a stream's
// life, with a table of what held.
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { UserError } from "../../base/errors.ts";
import { projectDir } from "../../base/paths.ts";
import { step } from "../../base/progress.ts";
import { printError, printJson, printLine } from "../../jobs/cli/output.ts";
import { openCluster } from "../../jobs/watch/index.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { makeCertificate } from "../faults/certificate.ts";
import { roomFor } from "../faults/room.ts";
import type { Row } from "../faults/suite.ts";
import { linesOf, printRows } from "../faults/table.ts";
import { CHAPTERS } from "./rows/index.ts";
import { setUp } from "./setup.ts";
import { runSuite } from "./suite.ts";

const USAGE = `Usage: npm run test:flink [-- [ROW…] [--lanes 2] [--json] [--list] [--no-tests] [--no-rows] [--no-setup]]

  ROW         only rows of that name, or of a chapter of that name; without the test files
  --lanes     chapters at once, each with one Flink cluster at most
  --list      names the rows and does nothing
  --no-tests  without the test files of project flink
  --no-rows   only them
  --no-setup  takes the lab as it is, however little room it has

Sets the lab up where it is not (npx mayfly lab up), with the images mayfly.dev/flink:2.3.0 and 1.20.1, and builds the examples' jars
with Maven where their sources changed (bin/node examples/flink-jobs/build.ts).`;

/** What a stream of the suite asks for at most, in millicores: a JobManager and two TaskManagers. */
const CLUSTER_MILLICORES = 1000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    "no-tests": { type: "boolean", default: false },
    "no-rows": { type: "boolean", default: false },
    "no-setup": { type: "boolean", default: false },
    lanes: { type: "string", default: "2" },
  },
});

const wanted = Number(values.lanes);
const chapters = CHAPTERS.map((chapter) => ({
  ...chapter,
  rows: chapter.rows.filter(
    ({ slug }) =>
      positionals.length === 0 || positionals.includes(slug) || positionals.includes(chapter.name),
  ),
})).filter(({ rows }) => rows.length > 0);
const unknown = positionals.filter(
  (name) => !CHAPTERS.some((one) => one.name === name || one.rows.some(({ slug }) => slug === name)),
);

function say(line: string): void {
  if (values.json) process.stderr.write(`${line}\n`);
  else printLine(line);
}

const stop = new AbortController();
process.on("SIGINT", () => {
  say("Stopping: what is under way is ended and removed first.");
  stop.abort();
});

/** @returns Whether all of them passed. */
function testFiles(): boolean {
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "flink", "--passWithNoTests"];
  const out = values.json ? 2 : 1;
  const { status } = spawnSync(process.execPath, vitest, { cwd: projectDir, stdio: ["ignore", out, 2] });
  return status === 0;
}

/** As many as were asked for and fit the lab's node. */
async function lanes(): Promise<number> {
  if (values["no-setup"]) return wanted;
  const room = await roomFor(wanted, 0, CLUSTER_MILLICORES);
  if (room.note !== undefined) say(room.note);
  return room.lanes;
}

async function rows(): Promise<Row[]> {
  const { kubeconfig } = readConnection(labPaths());
  const [certificate, cluster] = await Promise.all([makeCertificate(), openCluster(kubeconfig)]);
  try {
    return await runSuite({
      ...{ cluster, certificate, chapters, lanes: await lanes(), stop: stop.signal },
      onRow: (row) => {
        for (const line of linesOf(row)) say(line);
      },
    });
  } finally {
    cluster.close();
  }
}

async function main(): Promise<void> {
  const since = performance.now();
  if (!values["no-setup"]) await step("what the tests need", setUp);
  const passed = values["no-tests"] || positionals.length > 0 || testFiles();
  const all = values["no-rows"] || stop.signal.aborted ? [] : await rows();
  const seconds = Math.round((performance.now() - since) / 1000);
  if (values.json) printJson({ apiVersion: "mayfly.dev/faults/v1", seconds, tests: passed, rows: all });
  else if (all.length > 0) printRows(all, seconds, "rows");
  if (!passed) say("Test files of project flink failed: see above.");
  const held = passed && all.every(({ broken }) => broken.length === 0);
  process.exitCode = stop.signal.aborted ? 130 : held ? 0 : 1;
}

if (values.help) {
  printLine(USAGE);
} else if (values.list) {
  for (const { name, rows: of } of chapters)
    for (const { slug, title } of of) printLine(`${name}: ${slug}: ${title}`);
} else if (!Number.isInteger(wanted) || wanted < 1 || unknown.length > 0) {
  if (unknown.length > 0) printLine(`No row or chapter is called ${unknown.join(", ")}.`);
  printLine(USAGE);
  process.exitCode = 64;
} else {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(error, values.json);
    process.exitCode = error.exitCode;
  }
}

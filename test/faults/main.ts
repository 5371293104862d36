// `npm run test:faults`: every fault on the real lab, and a table of what held.
import { parseArgs } from "node:util";
import { UserError } from "../../base/errors.ts";
import { printError, printJson, printLine } from "../../jobs/cli/output.ts";
import { openCluster } from "../../jobs/watch/index.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { importStandIn } from "../harness/stand-in.ts";
import { makeCertificate } from "./certificate.ts";
import { apiServerFaults } from "./list/api-server.ts";
import { cancelFaults } from "./list/cancel.ts";
import { clusterFaults } from "./list/cluster.ts";
import { ledgerFaults } from "./list/ledger.ts";
import { outsideFaults } from "./list/outside.ts";
import { processFaults } from "./list/processes.ts";
import { stateFaults } from "./list/state.ts";
import { workerFaults } from "./list/workers.ts";
import { roomFor } from "./room.ts";
import { type Row, runSuite } from "./suite.ts";
import { linesOf, printRows } from "./table.ts";

const USAGE = `Usage: npm run test:faults [-- [NAME…] [--quick] [--lanes 4] [--json] [--list] [--no-canary]]

  NAME      only faults whose name or group holds it, such as "state" or "power cut"
  --quick   one fault of each kind, and a sample of the power cuts
  --lanes   faults at once, each with a run, a state and a fault proxy of its own
  --list    names them and does nothing
  --no-canary  without the other tenant's run beside them, for a lab that has no room

Needs the lab: npx mayfly lab up`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    "no-canary": { type: "boolean", default: false },
    lanes: { type: "string", default: "4" },
  },
});

const POWER_CUT = "power cut: all killed at each write";

const matches = (text: string): boolean =>
  positionals.length === 0 || positionals.some((part) => text.toLowerCase().includes(part.toLowerCase()));

const all = [
  ...apiServerFaults,
  ...processFaults,
  ...workerFaults,
  ...ledgerFaults,
  ...stateFaults,
  ...outsideFaults,
  ...cancelFaults,
  ...clusterFaults,
];
const faults = all
  .filter(({ name, group }) => matches(`${group}: ${name}`))
  .filter(({ quick }) => !values.quick || quick === true || positionals.length > 0);
const cuts = !matches(POWER_CUT) ? "none" : values.quick ? "sample" : "all";
const wanted = Number(values.lanes);

function say(line: string): void {
  if (values.json) process.stderr.write(`${line}\n`);
  else printLine(line);
}

const onRow = (row: Row): void => {
  for (const line of linesOf(row)) say(line);
};

const stop = new AbortController();
process.on("SIGINT", () => {
  say("Stopping: what is under way is ended and removed first.");
  stop.abort();
});

async function main(): Promise<void> {
  const since = performance.now();
  const { kubeconfig } = readConnection(labPaths());
  const [certificate, cluster] = await Promise.all([
    makeCertificate(),
    openCluster(kubeconfig),
    importStandIn(),
  ]);
  try {
    const canary = !values["no-canary"];
    const room = await roomFor(wanted, canary ? 1 : 0);
    if (room.note !== undefined) say(room.note);
    const rows = await runSuite({
      ...{ cluster, certificate, lanes: room.lanes, faults, cuts, onRow, canary },
      stop: stop.signal,
    });
    const seconds = Math.round((performance.now() - since) / 1000);
    const broken = rows.filter((row) => row.broken.length > 0);
    if (values.json) {
      printJson({ apiVersion: "mayfly.dev/faults/v1", seconds, rows });
    } else {
      printRows(rows, seconds, "faults");
    }
    process.exitCode = stop.signal.aborted ? 130 : broken.length === 0 ? 0 : 1;
  } finally {
    cluster.close();
  }
}

if (values.help) {
  printLine(USAGE);
} else if (values.list) {
  for (const { group, name } of faults) printLine(`${group}: ${name}`);
  if (cuts !== "none") printLine(POWER_CUT);
} else if (!Number.isInteger(wanted) || wanted < 1 || (faults.length === 0 && cuts === "none")) {
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

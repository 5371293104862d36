import { Command } from "@commander-js/extra-typings";
import type { UserError } from "../../../base/errors.ts";
import type { HistoryOptions, RunSummary } from "../../run/index.ts";
import { count, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

const LEDGER_HELP = `
Runs are in the ledger: a file of this machine, or what MAYFLY_LEDGER names (docs/ledger.md).`;

/** On standard error: the list itself is for programs too. */
const skip = (_run: string, { message, hint }: UserError): void => {
  process.stderr.write(`note: left out: ${message} ${hint ?? ""}\n`);
};

export const runsCommand = () =>
  new Command("runs")
    .alias("list")
    .description("list runs, newest first")
    .option("--state <state...>", "only in these states: queued, running, succeeded, failed, stale, …")
    .option("--tenant <tenant>", "only of this tenant")
    .option("--job <job>", "only of this job")
    .option("--since <time>", "only submitted since: 2h or 7d ago, or a date")
    .option("--limit <count>", "at most so many", count, 50)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      LEDGER_HELP +
        examples(
          "mayfly runs",
          "mayfly runs --state failed lost --since 24h",
          "mayfly runs --tenant demo --job wordcount --limit 5 --json",
        ),
    )
    .action(async ({ state, tenant, job, since, limit, json }) => {
      const { listRuns } = await import("../../run/index.ts");
      const runs = await listRuns({ states: state, tenant, job, since, limit, onUnreadable: skip });
      if (json === true) {
        printJson(runs);
        return;
      }
      if (runs.length === 0) {
        const all = [state, tenant, job, since].every((filter) => filter === undefined);
        printLine(all ? "No runs yet. Next: npx mayfly run examples/pi/job.yaml" : "No such runs.");
        return;
      }
      printLine(
        renderTable(
          ["RUN", "TENANT", "STATE", "PHASE", "OUTCOME", "SUBMITTED"],
          runs.map(({ run, tenant: of, state: now, phase, outcome, submittedAt }) => [
            run,
            of,
            now,
            phase ?? "-",
            outcome?.kind ?? "-",
            submittedAt,
          ]),
        ),
      );
    });

export const historyCommand = () =>
  new Command("history")
    .description("show how a job's runs went, newest first")
    .argument("<job>", "name of the job, as in its spec")
    .option("--tenant <tenant>", "only of this tenant")
    .option("--since <time>", "only submitted since: 2h or 7d ago, or a date")
    .option("--limit <count>", "at most so many", count, 50)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      LEDGER_HELP + examples("mayfly history wordcount", "mayfly history wordcount --since 7d --json"),
    )
    .action(async (job, { json, ...options }) => {
      const { jobHistory } = await import("../../run/index.ts");
      const { formatSeconds } = await import("../../report/words.ts");
      const history = await jobHistory(job, { ...options, onUnreadable: skip } satisfies HistoryOptions);
      if (json === true) {
        printJson(history);
        return;
      }
      const { runs } = history;
      if (runs.length === 0) {
        printLine("No such runs.");
        return;
      }
      printLine(
        renderTable(
          ["RUN", "TENANT", "SUBMITTED", "DATA FROM", "ATTEMPTS", "TOOK", "STATE"],
          runs.map((run) => {
            const seconds = secondsOf(run);
            return [
              run.run,
              run.tenant,
              run.submittedAt,
              run.interval?.start ?? "-",
              String(run.attempt),
              seconds === undefined ? "-" : formatSeconds(seconds),
              run.outcome === undefined || run.outcome.kind === run.state
                ? run.state
                : `${run.state} (${run.outcome.kind})`,
            ];
          }),
        ),
      );
      printLine();
      printLine(sumUp(runs, formatSeconds));
    });

/** From submission to the end, waiting in the queue included. */
const secondsOf = ({ submittedAt, endedAt }: RunSummary): number | undefined =>
  endedAt === undefined ? undefined : (Date.parse(endedAt) - Date.parse(submittedAt)) / 1000;

function sumUp(runs: readonly RunSummary[], format: (seconds: number) => string): string {
  const counts = new Map<string, number>();
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
  const parts = [...counts].map(([state, number]) => `${number} ${state}`);
  const took = runs
    .filter(({ state }) => state === "succeeded")
    .flatMap((run) => secondsOf(run) ?? [])
    .sort((one, other) => one - other);
  const median = took[Math.floor((took.length - 1) / 2)];
  return `${runs.length} ${runs.length === 1 ? "run" : "runs"}: ${parts.join(", ")}${
    median === undefined ? "" : `; a success took ${format(median)} (median)`
  }`;
}

import { Command } from "@commander-js/extra-typings";
import type { Reaped, ReapResult } from "../../reap/index.ts";
import { connectionOption, durationOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

export const reapCommand = () =>
  new Command("reap")
    .description("find what belongs to no live run: namespaces, stacks, locks, leases, work folders")
    .option("--yes", "remove what is found of runs that have ended")
    .option("--unknown", "with --yes: also of runs that this ledger does not know")
    .addOption(durationOption("--grace <time>", "leave alone what is younger").default(900, "15m"))
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit code 22 where orphans were found and not removed, 21 where some could not be removed (docs/reap.md).` +
        examples("mayfly reap", "mayfly reap --yes", "mayfly reap --yes --unknown --grace 1h"),
    )
    .action(async ({ yes, unknown, grace, json, connection }, command) => {
      if (unknown === true && yes !== true)
        command.error("error: --unknown is for --yes; without, both are shown anyway.");
      const { reap, reapExitCode } = await import("../../reap/index.ts");
      const { formatSeconds } = await import("../../report/words.ts");
      const now = Date.now();
      const result = await reap({
        connection,
        graceSeconds: grace,
        remove: yes,
        unknown,
        onRemoving: ({ kind, name }) => {
          if (json !== true) process.stderr.write(`removing ${kind} ${name} …\n`);
        },
      });
      process.exitCode = reapExitCode(result);
      if (json === true) printJson(documentOf(result));
      else print(result, ({ since }) => formatSeconds(Math.max(0, Math.round((now - since) / 1000))));
    });

/** What `--json` prints. */
const documentOf = ({ environment, ledger, orphans, remarks }: ReapResult) => ({
  environment,
  ledger,
  orphans: orphans.map(({ kind, name, run, since, ofRun, why, fate, problem }) => ({
    kind,
    name,
    run,
    since: new Date(since).toISOString(),
    ofRun,
    why,
    fate,
    problem,
  })),
  remarks,
});

function print({ orphans, remarks, environment, ledger }: ReapResult, age: (orphan: Reaped) => string): void {
  for (const remark of remarks) process.stderr.write(`${remark}\n`);
  if (orphans.length === 0) {
    printLine(`Nothing in environment ${environment} that belongs to no live run of ${ledger}.`);
    return;
  }
  printLine(
    renderTable(
      ["WHAT", "NAME", "RUN", "AGE", "WHY", "NOW"],
      orphans.map((orphan) => {
        const { kind, name, run, why, fate, problem } = orphan;
        return [
          kind,
          name,
          run ?? "-",
          age(orphan),
          why,
          problem === undefined ? fate : `${fate}: ${problem}`,
        ];
      }),
    ),
  );
  const left = orphans.filter(({ fate }) => fate === "kept");
  const ended = left.filter(({ ofRun }) => ofRun === "ended").length;
  if (ended > 0)
    printLine(`Next: npx mayfly reap --yes removes ${left.length === ended ? "them" : `${ended} of them`}.`);
  if (left.length > ended)
    printLine(
      `${left.length - ended} of runs that ${ledger} does not know: they may be another ledger's. If not: npx mayfly reap --yes --unknown`,
    );
  if (orphans.some(({ fate }) => fate === "failed"))
    printLine("Some could not be removed: the table says why. Then: npx mayfly reap --yes again.");
}

import { Command } from "@commander-js/extra-typings";
import type { UpgradeEnd } from "../../stream/index.ts";
import { connectionOption, durationOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { looksAfter, STREAM_ARGUMENT, starting, tenantOption } from "../stream.ts";

const STEPS = {
  checking: "checking the new version",
  suspending: "suspending the old version",
  starting: "starting the new version",
  "rolling-back": "the new version did not become healthy: starting the old one again",
} as const;

export const upgradeCommand = () =>
  new Command("upgrade")
    .description(
      "replace a live stream by a new version that goes on from its state, or go back to the old one",
    )
    .argument("<stream>", STREAM_ARGUMENT)
    .argument("<job>", "spec of the new version, YAML or JSON")
    .addOption(
      durationOption(
        "--healthy-within <duration>",
        "give the new version up if it is not healthy by then; default: the environment's limit for a start",
      ),
    )
    .addOption(durationOption("--timeout <duration>", "wait no longer for the savepoint"))
    .option("--allow-non-restored-state", "drop state that the job has no operator for any more")
    .option("--force-version", "also to a Flink that is not promised to read the state")
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
All is validated and planned before the old version is touched. Then: savepoint, cluster destroyed, new one made. If it is killed in
between: mayfly resume STREAM goes on. Ctrl-C gives the new version up, and goes back to the old one.
Exit codes: 0 the new version is healthy; 23 it did not become so, and the old one runs again; 24 neither runs, the message names the
savepoint and the command; 25 the old one could not be suspended, and goes on; 65 the new version does not fit; 66, 73, 75 as mayfly suspend.` +
        examples(
          "mayfly upgrade clicks clicks-v2.yaml",
          "mayfly upgrade clicks clicks-v2.yaml --healthy-within 3m --json",
        ),
    )
    .action(async (stream, file, options) => {
      const { healthyWithin, timeout, allowNonRestoredState, forceVersion, tenant, json, connection } =
        options;
      const { upgradeStream } = await import("../../stream/index.ts");
      const end = await starting(
        stream,
        { json: json === true, jobFile: file },
        async (told) =>
          await upgradeStream(stream, file, {
            ...told,
            healthyWithinSeconds: healthyWithin,
            timeoutSeconds: timeout,
            allowNonRestoredState,
            forceVersion,
            tenant,
            connection,
            onStep: ({ phase }) => {
              process.stderr.write(`${STEPS[phase]} …\n`);
            },
          }),
      );
      await showUpgrade(stream, end, json === true);
    });

/** Prints how an upgrade ended, and sets the exit code. */
export async function showUpgrade(stream: string, end: UpgradeEnd, json: boolean): Promise<void> {
  const { STREAM_EXIT } = await import("../../stream/index.ts");
  process.exitCode = {
    done: 0,
    untouched: STREAM_EXIT.notDone,
    "rolled-back": STREAM_EXIT.rolledBack,
    stuck: STREAM_EXIT.rollbackFailed,
  }[end.phase];
  if (json) {
    const { phase, ...rest } = end;
    printJson({ type: "upgraded", result: phase, ...rest });
    return;
  }
  switch (end.phase) {
    case "done":
      printLine(`The new version goes on from ${end.savepoint}.`);
      for (const line of looksAfter(end.run)) printLine(line);
      break;
    case "untouched":
      printLine(`Not done, and nothing was changed: ${end.message}`);
      break;
    case "rolled-back":
      printLine(`The new version${named(end.failed.run)} did not become healthy: ${end.failed.message}`);
      printLine(`Rolled back: the old version goes on from ${end.savepoint}, as run ${end.run}.`);
      if (end.failed.run !== undefined) printLine(`Next: npx mayfly logs ${end.failed.run}`);
      break;
    case "stuck":
      printLine(`The new version${named(end.failed.run)} did not become healthy: ${end.failed.message}`);
      printLine(`Nor did the old one${named(end.rollback.run)}: ${end.rollback.message}`);
      printLine(
        `The stream does not run; its state is at ${end.savepoint}. Next: npx mayfly resume ${stream}`,
      );
      break;
  }
}

const named = (run: string | undefined): string => (run === undefined ? "" : ` (run ${run})`);

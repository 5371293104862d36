import { Command } from "@commander-js/extra-typings";
import { EXIT } from "../../../base/errors.ts";
import { LEFT_BEHIND_EXIT } from "../../../schema/outcome.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";

export const destroyCommand = () =>
  new Command("destroy")
    .description("remove what is left of a run: one that was kept, or whose helper died")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .option("--discard-state", "also a live stream, whose state is lost by that; mayfly suspend keeps it")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit codes: 0 nothing is left; 21 something is, and the message names it; 66 there is no such run; 73 its helper still works on it,
or it is a live stream whose state would be lost.` +
        examples("mayfly destroy pi-1a2b3c4d", "mayfly destroy clicks-1a2b3c4d --discard-state"),
    )
    .action(async (run, { discardState, json, connection }) => {
      const { destroyRun } = await import("../../run/index.ts");
      const result = await destroyRun(run, { connection, discardState });
      process.exitCode = result.left.length === 0 ? EXIT.ok : LEFT_BEHIND_EXIT;
      if (json === true) {
        printJson(result);
        return;
      }
      if (result.left.length > 0) {
        printLine(`${run}: could not remove ${result.left.join(", ")}`);
        printLine(
          `Next: kubectl get namespace ${result.namespace} -o yaml, then npx mayfly destroy ${run} again`,
        );
        return;
      }
      switch (result.by) {
        case "stack":
          printLine(`${run}: destroyed, nothing left`);
          break;
        case "namespace":
          printLine(
            `${run}: its stack's state was gone; namespace ${result.namespace} was deleted, nothing left`,
          );
          break;
        case "nothing":
          printLine(`${run}: nothing was left to remove`);
          break;
      }
    });

import { Command } from "@commander-js/extra-typings";
import type { ListedSavepoint } from "../../stream/index.ts";
import { connectionOption, durationOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";
import { countOption, note, STREAM_ARGUMENT, tenantOption, waiting } from "../stream.ts";

export const savepointCommand = () =>
  new Command("savepoint")
    .description("make a savepoint of a live stream, which goes on")
    .argument("<stream>", STREAM_ARGUMENT)
    .addOption(durationOption("--timeout <duration>", "wait no longer; the savepoint itself goes on"))
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit codes: 0 made; 25 not made, the stream goes on and the message says why; 66, 73, 75 as mayfly suspend.` +
        examples("mayfly savepoint clicks", "mayfly savepoint clicks --timeout 5m --json"),
    )
    .action(async (stream, { timeout, tenant, json, connection }) => {
      const { makeSavepoint } = await import("../../stream/index.ts");
      const made = await waiting(
        `savepoint of ${stream}`,
        async (told) => await makeSavepoint(stream, { ...told, timeoutSeconds: timeout, tenant, connection }),
      );
      if (json === true) printJson({ type: "savepoint", ...made });
      else printLine(`${made.run}: ${made.location}`);
    });

export const savepointsCommand = () =>
  new Command("savepoints")
    .description("list a stream's savepoints, newest first, or delete some")
    .argument("<stream>", STREAM_ARGUMENT)
    .option("--delete <location>", "delete this one, with its files")
    .addOption(countOption("--keep <count>", "delete all but so many, the newest"))
    .option("--deleted", "list those too that are gone")
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Never deleted: the newest, one that a live run started from, one by which the stream is suspended.
Exit codes: 0; 66 there is no such stream or savepoint; 65 it is another job's; 73 it is still needed, or the newest.` +
        examples(
          "mayfly savepoints clicks",
          "mayfly savepoints clicks --keep 2",
          "mayfly savepoints clicks --delete s3://acme-state/clicks/savepoints/savepoint-1a2b3c-0123456789ab",
        ),
    )
    .action(async (stream, options, command) => {
      const { delete: location, keep, deleted, tenant, json, connection } = options;
      if ([location, keep, deleted].filter((option) => option !== undefined).length > 1)
        command.error("error: only one of --delete, --keep and --deleted.");
      const { deleteSavepoints, listSavepoints } = await import("../../stream/index.ts");
      if (location === undefined && keep === undefined) {
        show(await listSavepoints(stream, { tenant, deleted }), json === true);
        return;
      }
      const which = location === undefined ? { keep: keep ?? 1 } : { location };
      const gone = await deleteSavepoints(stream, which, { tenant, connection, onNote: note });
      if (json === true) printJson({ type: "deleted", savepoints: gone.map((one) => one.location) });
      else {
        for (const one of gone) printLine(`deleted ${one.location}`);
        if (gone.length === 0) printLine("Nothing was to be deleted.");
      }
    });

function show(savepoints: readonly ListedSavepoint[], json: boolean): void {
  if (json) {
    printJson(savepoints);
    return;
  }
  if (savepoints.length === 0) {
    printLine("No savepoints.");
    return;
  }
  printLine(
    renderTable(
      ["AT", "KIND", "WHY", "RUN", "FLINK", "", "LOCATION"],
      savepoints.map(({ at, kind, reason, run, flinkVersion, needed, deletedAt, location }) => [
        at,
        kind,
        reason,
        run,
        flinkVersion,
        deletedAt === undefined ? (needed ? "needed" : "") : "deleted",
        location,
      ]),
    ),
  );
}

import { Command, Option } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printLine } from "../output.ts";

export const logsCommand = () =>
  new Command("logs")
    .description("print a run's log: from its pods while they live, else from the S3 store")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .option("-f, --follow", "wait for further lines until the driver ends")
    .addOption(
      new Option("--container <name>", "which container's log").choices([
        "driver",
        "master",
        "worker",
      ] as const),
    )
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("mayfly logs pi-1a2b3c4d", "mayfly logs -f --container worker pi-1a2b3c4d"),
    )
    .action(async (run, { follow, container, json, connection }) => {
      const { runLogs } = await import("../../run/index.ts");
      await runLogs(run, {
        connection,
        follow,
        container,
        onLine: ({ source, line }) => {
          if (json === true) printLine(JSON.stringify({ source, line }));
          else printLine(container === "worker" ? `${source} ${line}` : line);
        },
      });
    });

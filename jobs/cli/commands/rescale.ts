import { Command } from "@commander-js/extra-typings";
import { connectionOption, durationOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { countOption, STREAM_ARGUMENT, starting, tenantOption } from "../stream.ts";
import { showUpgrade } from "./upgrade.ts";

export const rescaleCommand = () =>
  new Command("rescale")
    .description("give a live stream another size: in place where it can, else by a savepoint; says which")
    .argument("<stream>", STREAM_ARGUMENT)
    .addOption(countOption("--task-managers <count>", "TaskManager pods"))
    .addOption(countOption("--parallelism <count>", "parallel tasks; all slots where left out"))
    .addOption(durationOption("--timeout <duration>", "wait no longer"))
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
In place, run and JobManager stay. By a savepoint, it goes on as a new run; if that does not become healthy, in its old size.
Exit codes: 0 it runs in the new size; 20 that does not fit; 65 there are too few slots, or its state does not allow it;
23, 24, 25 as mayfly upgrade; 66, 73, 75 as mayfly suspend.` +
        examples(
          "mayfly rescale clicks --task-managers 4",
          "mayfly rescale clicks --task-managers 2 --parallelism 3 --json",
        ),
    )
    .action(async (stream, options, command) => {
      const { taskManagers, parallelism, timeout, tenant, json, connection } = options;
      if (taskManagers === undefined && parallelism === undefined)
        command.error("error: to which size? --task-managers, --parallelism or both.");
      const { rescaleStream } = await import("../../stream/index.ts");
      const result = await starting(
        stream,
        { json: json === true },
        async (told) =>
          await rescaleStream(
            stream,
            { taskManagers, parallelism },
            { ...told, timeoutSeconds: timeout, tenant, connection },
          ),
      );
      if (result.how === "by-savepoint") {
        if (json !== true) printLine("By a savepoint and a new run, since it could not be done in place.");
        await showUpgrade(stream, result.end, json === true);
        return;
      }
      if (json === true) printJson({ type: "rescaled", ...result });
      else if (result.how === "unchanged") {
        const { taskManagers: managers, parallelism: tasks } = result.size;
        printLine(`${result.run} has that size already: ${managers} TaskManagers, parallelism ${tasks}.`);
      } else printLine(`${result.run}: in place. ${result.message}`);
    });

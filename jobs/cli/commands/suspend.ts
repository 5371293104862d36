import { Command } from "@commander-js/extra-typings";
import { connectionOption, durationOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { STREAM_ARGUMENT, tenantOption, waiting } from "../stream.ts";

export const suspendCommand = () =>
  new Command("suspend")
    .description(
      "end a stream's run with a savepoint, from which it can be resumed; its cluster is destroyed",
    )
    .argument("<stream>", STREAM_ARGUMENT)
    .addOption(durationOption("--timeout <duration>", "wait no longer; the suspend itself goes on"))
    .option("--last-state", "where no savepoint can be had: be content with the newest checkpoint")
    .addOption(durationOption("--max-age <duration>", "with --last-state: of that checkpoint; default 10m"))
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The location of the savepoint is in the ledger before anything is destroyed. Asked twice is once. Needs no worker.
Exit codes: 0 suspended; 21 suspended, but something could not be removed; 25 not done, the stream goes on and the message says why;
66 there is no such stream; 73 it is no stream, or has ended or is suspended already; 75 not done within --timeout.` +
        examples(
          "mayfly suspend clicks",
          "mayfly suspend clicks-11240612-x7k2p --timeout 5m --json",
          "mayfly suspend clicks --last-state --max-age 2m",
        ),
    )
    .action(async (stream, { timeout, lastState, maxAge, tenant, json, connection }, command) => {
      if (maxAge !== undefined && lastState !== true) command.error("error: --max-age is for --last-state.");
      const [{ suspendStream }, { LEFT_BEHIND_EXIT }] = await Promise.all([
        import("../../stream/index.ts"),
        import("../../../schema/outcome.ts"),
      ]);
      const suspended = await waiting(
        `suspend ${stream}`,
        async (told) =>
          await suspendStream(stream, {
            ...told,
            timeoutSeconds: timeout,
            lastState,
            maxAgeSeconds: maxAge,
            tenant,
            connection,
          }),
      );
      const { run, location, kind, left } = suspended;
      if (left.length > 0) process.exitCode = LEFT_BEHIND_EXIT;
      if (json === true) {
        printJson({ type: "suspended", ...suspended });
        return;
      }
      printLine(`${run}: suspended at ${kind} ${location}`);
      if (left.length > 0) printLine(`Could not remove ${left.join(", ")}. Next: npx mayfly destroy ${run}`);
      printLine(`Next: npx mayfly resume ${run}`);
    });

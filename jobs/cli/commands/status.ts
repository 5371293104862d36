import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

export const statusCommand = () =>
  new Command("status")
    .description("show one run: its phase, pods and, once it has ended, its report")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly status pi-1a2b3c4d"))
    .action(async (run, { json, connection }) => {
      const { runStatus } = await import("../../run/index.ts");
      const status = await runStatus(run, { connection });
      if (json === true) {
        printJson(status);
        return;
      }
      const { summary, pods, unreachable, report } = status;
      printLine(`${summary.run}: ${summary.state}, phase ${summary.phase}, namespace ${summary.namespace}`);
      if (unreachable !== undefined) printLine(`The cluster could not be asked: ${unreachable}`);
      if (pods.length > 0) {
        printLine(
          renderTable(
            ["POD", "ROLE", "PHASE", "NODE", "CONTAINERS"],
            pods.map((pod) => [
              pod.name,
              pod.role,
              pod.reason ?? pod.phase,
              pod.node ?? "-",
              pod.containers.map(({ name, reason }) => (reason ? `${name} (${reason})` : name)).join(", "),
            ]),
          ),
        );
      }
      if (report !== undefined) {
        const { renderReport } = await import("../../report/index.ts");
        printLine(renderReport(report));
      }
      if (summary.state === "stale" || summary.state === "kept")
        printLine(`Next: npx mayfly destroy ${summary.run}`);
    });

import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

export const previewCommand = () =>
  new Command("preview")
    .description("show every object a run would make, as `pulumi preview` sees it; makes nothing")
    .argument("<job>", "job spec, YAML or JSON")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly preview examples/pi/job.yaml"))
    .action(async (file, { json, connection }) => {
      const { previewJob } = await import("../../run/index.ts");
      const { plan, resources, remarks } = await previewJob(file, { connection });
      if (json === true) {
        printJson({ plan, resources, remarks });
        return;
      }
      printLine(
        renderTable(
          ["", "TYPE", "NAME"],
          resources.map(({ operation, kind, name }) => [operation, kind, name]),
        ),
      );
      printLine(`\n${resources.length} resources in namespace ${plan.namespace}. Nothing was made.`);
      for (const remark of remarks) printLine(`note: ${remark}`);
      printLine(`Next: npx mayfly run ${file}`);
    });

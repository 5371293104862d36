import { Command } from "@commander-js/extra-typings";
import { examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";

export const validateCommand = () =>
  new Command("validate")
    .description("check a job spec; prints all problems at once, each with its line and path")
    .argument("<job>", "job spec, YAML or JSON")
    .addOption(jsonOption())
    .addHelpText("after", examples("mayfly validate examples/pi/job.yaml"))
    .action(async (file, { json }) => {
      const { loadSpec } = await import("../../spec/index.ts");
      const spec = await loadSpec(file);
      if (json === true) printJson({ type: "valid", file, job: spec.name, tenant: spec.tenant });
      else printLine(`${file}: valid (job ${spec.name} of tenant ${spec.tenant})`);
    });

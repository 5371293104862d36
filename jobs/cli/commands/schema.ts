import { Command } from "@commander-js/extra-typings";
import { examples } from "../options.ts";
import { printLine } from "../output.ts";

export const schemaCommand = () =>
  new Command("schema")
    .description("print the JSON Schema of a job spec, for editors and other tools")
    .addHelpText("after", examples("mayfly schema > job.schema.json"))
    .action(async () => {
      const { jobSchema } = await import("../../spec/index.ts");
      printLine(JSON.stringify(jobSchema(), undefined, 2));
    });

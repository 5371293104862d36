import { resolve } from "node:path";
import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

export const planCommand = () =>
  new Command("plan")
    .description("size and place a job: pods, memory with its arithmetic, node pool, zone; makes nothing")
    .argument("<job>", "job spec, YAML or JSON")
    .option("--out <file>", "write the plan as JSON, for `pulumi up` in stacks/job")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples("mayfly plan examples/pi/job.yaml", "mayfly plan examples/pi/job.yaml --out plan.json"),
    )
    .action(async (file, { out, json, connection }) => {
      const [{ planJob }, { describePlan }] = await Promise.all([
        import("../../run/index.ts"),
        import("../../plan/index.ts"),
      ]);
      const { plan, notes } = await planJob(file, { connection });
      if (out !== undefined) {
        const { writeFile } = await import("node:fs/promises");
        await writeFile(out, `${JSON.stringify(plan, undefined, 2)}\n`);
      }
      if (json === true) {
        printJson(plan);
        return;
      }
      printLine(renderTable(["", ""], describePlan(plan)));
      for (const note of notes) printLine(`note: ${note}`);
      if (out === undefined) {
        printLine(`\nNothing was made. Next: npx mayfly run ${file}`);
        return;
      }
      printLine(`\nThe plan is in ${out}. To make this cluster by hand:`);
      printLine(`  eval "$(npx mayfly lab env)" && cd stacks/job`);
      printLine(
        `  pulumi stack init ${plan.stack} && pulumi config set planFile "${resolve(out)}" && pulumi up`,
      );
      for (const { fromNamespace, name } of plan.secrets) {
        printLine(`  # the pods wait for Secret ${name}; copy it once the namespace exists:`);
        printLine(
          `  kubectl get secret -n ${fromNamespace} ${name} -o json | jq '{apiVersion, kind, type, data, metadata: {name: .metadata.name}}' | kubectl apply -n ${plan.namespace} -f -`,
        );
      }
      printLine("  pulumi destroy && pulumi stack rm   # and it is gone");
    });

import { Command } from "@commander-js/extra-typings";
import { paint } from "../../../base/progress.ts";
import { OUTCOME_EXIT } from "../../../schema/outcome.ts";
import type { PolicyResult } from "../../run/index.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine, renderTable } from "../output.ts";

const EXIT = `
Exit code ${OUTCOME_EXIT.refused} where an object breaks a mandatory rule of the policy pack (docs/policy.md), as \`mayfly run --policy\` would.`;

export const previewCommand = () =>
  new Command("preview")
    .description("show every object a run would make, as `pulumi preview` sees it; makes nothing")
    .argument("<job>", "job spec, YAML or JSON")
    .option("--no-policy", "leave the policy pack out")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText("after", EXIT + examples("mayfly preview examples/pi/job.yaml"))
    .action(async (file, { json, connection, policy: asked }) => {
      const { previewJob } = await import("../../run/index.ts");
      const { plan, resources, policy, remarks } = await previewJob(file, { connection, policy: asked });
      if (policy?.passed === false) process.exitCode = OUTCOME_EXIT.refused;
      if (json === true) {
        printJson({ plan, resources, policy, remarks });
        return;
      }
      printLine(
        renderTable(
          ["", "TYPE", "NAME"],
          resources.map(({ operation, kind, name }) => [operation, kind, name]),
        ),
      );
      printLine(`\n${resources.length} resources in namespace ${plan.namespace}. Nothing was made.`);
      for (const line of policyLines(policy)) printLine(line);
      for (const remark of remarks) printLine(`note: ${remark}`);
      if (policy?.passed !== false) printLine(`Next: npx mayfly run ${file}`);
    });

/** What the policy pack says, for people. */
export function policyLines(policy: PolicyResult | undefined): readonly string[] {
  if (policy === undefined) return ["Policy: not asked (--no-policy)."];
  if (policy.breaches.length === 0) return ["Policy: every rule is kept."];
  return policy.breaches.flatMap(({ rule, mandatory, resource, message }) => {
    const about = resource === undefined ? "the cluster as a whole" : `${resource.name} (${resource.kind})`;
    const head = `${paint(mandatory ? "red" : "yellow", `policy ${rule}`, process.stdout)}: ${about}`;
    return [head, ...message.split("\n").map((line) => `  ${line.trim()}`)];
  });
}

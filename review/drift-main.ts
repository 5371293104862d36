// `npm run drift -- <environment>`: parses, looks, turns whatever is thrown into a message and an exit code.
import { Command, CommanderError } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../base/errors.ts";
import { projectDir } from "../base/paths.ts";
import { paint } from "../base/progress.ts";

/** As diff(1) has it. */
const DRIFTED_EXIT = 1;

const HELP = `
Asks the real cloud and cluster with the credentials, KUBECONFIG and Pulumi state of this shell, by a preview of
pulumi refresh. It changes nothing, neither there nor in the state (docs/drift.md).

Exit codes:
  0    no drift                       1    drift
  64   wrong command line             66   no such environment
  69   Pulumi, state, cloud or cluster can't be reached

Examples:
  $ eval "$(npx mayfly lab env)" && npm run drift -- lab
  $ bin/node review/drift-main.ts prod --json | jq '.drifts[].id'`;

const command = new Command("npm run drift --")
  .description("tell what has changed outside of Pulumi since an environment's last update")
  .argument("<environment>", "the environment: prod for Pulumi.prod.yaml")
  .option("--json", "print JSON on standard output instead of text")
  .showHelpAfterError("(add --help for the options and examples)")
  .exitOverride()
  .addHelpText("after", HELP)
  .action(async (stack, { json }) => {
    const [{ findDrift }, { renderDrift }] = await Promise.all([
      import("./drift-run.ts"),
      import("./drift.ts"),
    ]);
    const report = await findDrift({ projectDir, stack });
    process.stdout.write(`${json === true ? JSON.stringify(report) : renderDrift(report)}\n`);
    process.exitCode = report.drifts.length > 0 ? DRIFTED_EXIT : EXIT.ok;
  });

try {
  await command.parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof UserError) {
    process.stderr.write(`${paint("red", "error")}: ${error.message}\n`);
    if (error.path !== undefined) process.stderr.write(`  where: ${error.path}\n`);
    if (error.hint !== undefined) process.stderr.write(`  next:  ${error.hint}\n`);
    process.exitCode = error.exitCode;
  } else {
    console.error("This is a bug of Mayfly. Please report it with the text below.");
    console.error(error);
    process.exitCode = EXIT.bug;
  }
}

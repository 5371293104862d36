import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";
import packageJson from "../../package.json" with { type: "json" };
import { destroyCommand } from "./commands/destroy.ts";
import { cancelCommand, submitCommand, waitCommand } from "./commands/detached.ts";
import { instancesCommand } from "./commands/instances.ts";
import { labCommand } from "./commands/lab.ts";
import { logsCommand } from "./commands/logs.ts";
import { planCommand } from "./commands/plan.ts";
import { previewCommand } from "./commands/preview.ts";
import { reapCommand } from "./commands/reap.ts";
import { rescaleCommand } from "./commands/rescale.ts";
import { resumeCommand } from "./commands/resume.ts";
import { runCommand } from "./commands/run.ts";
import { historyCommand, runsCommand } from "./commands/runs.ts";
import { savepointCommand, savepointsCommand } from "./commands/savepoints.ts";
import { schemaCommand } from "./commands/schema.ts";
import { showCommand } from "./commands/show.ts";
import { statusCommand } from "./commands/status.ts";
import { suspendCommand } from "./commands/suspend.ts";
import { upgradeCommand } from "./commands/upgrade.ts";
import { validateCommand } from "./commands/validate.ts";
import { workCommand } from "./commands/work.ts";

const EXIT_CODES = `
Exit codes:
  0    the run succeeded                 10   the application failed
  11   a container ran out of memory     12   an image is missing
  13   no node can take a pod            14   refused by quota or policy
  15   the run was lost                  16   a deadline passed
  17   the cluster could not be made     130  cancelled
  20   the job does not fit              21   something could not be removed
  64   wrong command line                65   invalid spec, plan or config
  66   a named file or object is missing 69   this machine lacks something
  73   at odds with what is there         74   something can't be reached
  75   a wait ended before the run       77   credentials were refused
  70   a bug of Mayfly                   22   reap found orphans and left them
  23   upgrade went back to the old      24   upgrade could not go back either
  25   a stream was not changed, and goes on

Examples:
  $ mayfly lab up                              a real Kubernetes on this machine
  $ mayfly run examples/wordcount/job.yaml     a Spark cluster for one job
  $ mayfly run examples/flink-stream/job.yaml  a stream: returns when it is healthy
  $ mayfly plan examples/pi/job.yaml           what it would be, nothing made`;

/** The whole command tree. Commands load what they need when they run, so that `--help` is quick. */
export function buildProgram(): Command {
  const program = new Command("mayfly")
    .description("Spark and Flink clusters on Kubernetes that live exactly as long as one job")
    .version(packageJson.version)
    .showHelpAfterError("(add --help for the options and examples)")
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  for (const command of [
    runCommand(),
    submitCommand(),
    workCommand(),
    waitCommand(),
    cancelCommand(),
    suspendCommand(),
    resumeCommand(),
    upgradeCommand(),
    rescaleCommand(),
    savepointCommand(),
    savepointsCommand(),
    planCommand(),
    previewCommand(),
    validateCommand(),
    schemaCommand(),
    runsCommand(),
    showCommand(),
    historyCommand(),
    statusCommand(),
    logsCommand(),
    destroyCommand(),
    reapCommand(),
    instancesCommand(),
    labCommand(),
  ]) {
    program.addCommand(command);
  }
  // Settings of the root command do not reach commands that were built apart.
  const inherit = (command: CommandUnknownOpts): void => {
    for (const child of command.commands) {
      child.copyInheritedSettings(program);
      inherit(child);
    }
  };
  inherit(program);
  return program;
}

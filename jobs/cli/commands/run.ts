import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";

const OUTCOMES = `
Exit codes by outcome:
  0 succeeded          10 user failure      11 out of memory    12 image
  13 unschedulable     14 refused           15 lost             16 deadline
  17 infrastructure    20 does not fit      21 left behind      130 cancelled
Ctrl-C cancels the run and still destroys its cluster; docs/outcomes.md explains each.`;

export const runCommand = () =>
  new Command("run")
    .description("make a job its own cluster, run it, report, and destroy the cluster")
    .argument("<job>", "job spec, YAML or JSON")
    .option("--keep", "leave the cluster up afterwards, to look around")
    .option("-f, --follow", "print the driver's log while it runs")
    .option(
      "--policy",
      "have the policy pack judge each object before it is made; off by default, since it takes about a second (docs/policy.md)",
    )
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      OUTCOMES +
        examples(
          "mayfly run examples/wordcount/job.yaml",
          "mayfly run --follow examples/pi/job.yaml",
          "mayfly run --json examples/pi/job.yaml | tail -n 1 | jq .report.outcome",
        ),
    )
    .action(async (file, { keep, follow, policy, json, connection }) => {
      const [{ handleInterruptions, run, runExitCode }, { createReporter }] = await Promise.all([
        import("../../run/index.ts"),
        import("../../report/index.ts"),
      ]);
      const reporter = createReporter({ json: json === true, jobFile: file });
      const interruptions = handleInterruptions(reporter.note);
      try {
        const report = await run(file, {
          connection,
          keep,
          follow,
          policy,
          signal: interruptions.signal,
          onEvent: (event) => {
            interruptions.observe(event);
            reporter.onEvent(event);
          },
        });
        process.exitCode = runExitCode(report);
      } finally {
        reporter.close();
        interruptions.dispose();
      }
    });

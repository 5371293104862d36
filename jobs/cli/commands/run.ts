import { Command } from "@commander-js/extra-typings";
import type { FlinkStreamJob } from "../../../schema/job.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { endedWords, looksAfter, starting } from "../stream.ts";

const OUTCOMES = `
Exit codes by outcome:
  0 succeeded          10 user failure      11 out of memory    12 image
  13 unschedulable     14 refused           15 lost             16 deadline
  17 infrastructure    20 does not fit      21 left behind      130 cancelled
Ctrl-C cancels the run and still destroys its cluster; docs/outcomes.md explains each.
A stream: returns 0 when it is healthy, and the stream goes on (docs/streams.md); 73 where it has a live run already.`;

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
          "mayfly run examples/flink-stream/job.yaml",
        ),
    )
    .action(async (file, { keep, follow, policy, json = false, connection }, command) => {
      const [{ handleInterruptions, IsAStream, run, runExitCode }, { createReporter }] = await Promise.all([
        import("../../run/index.ts"),
        import("../../report/index.ts"),
      ]);
      const reporter = createReporter({ json, jobFile: file });
      const interruptions = handleInterruptions(reporter.note);
      let stream: FlinkStreamJob;
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
        return;
      } catch (error) {
        if (!(error instanceof IsAStream)) throw error;
        stream = error.spec;
      } finally {
        reporter.close();
        interruptions.dispose();
      }
      if (keep === true || follow === true || policy === true)
        command.error(
          "error: a stream goes on by itself: --keep, --follow and --policy are for jobs that end.",
        );
      await runStream(stream, { file, connection, json });
    });

interface StreamRunOptions {
  readonly file: string;
  readonly connection: string | undefined;
  readonly json: boolean;
}

async function runStream(spec: FlinkStreamJob, { file, connection, json }: StreamRunOptions): Promise<void> {
  const [{ startStream }, { runExitCode }] = await Promise.all([
    import("../../stream/index.ts"),
    import("../../run/index.ts"),
  ]);
  const started = await starting(
    file,
    { json, jobFile: file },
    async ({ signal, onNote, onEvent }) =>
      await startStream(spec, {
        connection,
        signal,
        onNote,
        onEvent: (event) => {
          if (json) printJson(event);
          onEvent(event);
        },
      }),
  );
  if (json) {
    const { run, kind } = started;
    printJson({ type: "stream", run, state: kind === "ended" ? kind : "running" });
  }
  if (started.kind === "ended") {
    process.exitCode = runExitCode({ outcome: started.outcome, left: [...started.left] });
    if (!json) printLine(endedWords(started));
    return;
  }
  if (!json) for (const line of looksAfter(started.run)) printLine(line);
}

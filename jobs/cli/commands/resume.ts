import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { endedWords, looksAfter, starting, tenantOption } from "../stream.ts";
import { STOPPING, serve } from "./work.ts";

export const resumeCommand = () =>
  new Command("resume")
    .description("go on with a stream; without one: bring runs to their ends whose helper is gone")
    .argument("[stream]", "a suspended or failed stream: its job's name, or a run of it")
    .option("--job <file>", "with this spec instead: another version, size or zone")
    .option("--from <location>", "from this savepoint instead of its own newest state")
    .option("--allow-non-restored-state", "drop state that the job has no operator for any more")
    .option("--force-version", "also on a Flink that is not promised to read the state")
    .addOption(tenantOption())
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A stream goes on as a new run, from the savepoint by which it was suspended, else from the newest state that it left; what a helper left
half done is brought on first. Each run is resumed once. It returns when the stream is healthy, and needs no worker.
Exit codes: 0 healthy; those of mayfly run where it did not become so; 65 it does not fit the state; 66 there is no such stream, or its
savepoint is gone; 73 it was resumed already (the message names the run), is live, or left no state.

Without a stream: what each worker does when it starts. Submitted runs go on where they were; one that \`mayfly run\` had in the
foreground is destroyed, and was lost (docs/run.md). A helper on another machine is taken for gone once its lease has not changed for 30 s.${STOPPING}` +
        examples(
          "mayfly resume clicks",
          "mayfly resume clicks --job clicks-4-managers.yaml",
          "mayfly resume clicks --from s3://acme-state/clicks/savepoints/savepoint-1a2b3c-0123456789ab --json",
          "mayfly resume",
        ),
    )
    .action(async (stream, options, command) => {
      const { job, from, allowNonRestoredState, forceVersion, tenant, json, connection } = options;
      if (stream === undefined) {
        const forStreams = [job, from, allowNonRestoredState, forceVersion, tenant];
        if (forStreams.some((option) => option !== undefined))
          command.error("error: which stream? --job, --from and such are for `mayfly resume STREAM`.");
        await serve({ mode: "resume", slots: 64, connection }, json === true);
        return;
      }
      await resume(
        stream,
        { job, from, allowNonRestoredState, forceVersion, tenant, connection },
        json === true,
      );
    });

async function resume(
  stream: string,
  options: {
    readonly job: string | undefined;
    readonly from: string | undefined;
    readonly allowNonRestoredState: true | undefined;
    readonly forceVersion: true | undefined;
    readonly tenant: string | undefined;
    readonly connection: string | undefined;
  },
  json: boolean,
): Promise<void> {
  const [{ resumeStream }, { runExitCode }] = await Promise.all([
    import("../../stream/index.ts"),
    import("../../run/index.ts"),
  ]);
  const result = await starting(
    stream,
    { json, jobFile: options.job },
    async (told) => await resumeStream(stream, { ...options, ...told }),
  );
  if (!("started" in result)) {
    if (json) printJson({ type: "resumed", state: "running", run: result.run });
    else for (const line of looksAfter(result.run)) printLine(line);
    return;
  }
  const { started, before, origin } = result;
  if (started.kind === "running") {
    if (json)
      printJson({ type: "resumed", state: "running", run: started.run, before, from: origin.location });
    else {
      printLine(`${started.run} goes on from ${before}: ${origin.kind} ${origin.location}`);
      for (const line of looksAfter(started.run)) printLine(line);
    }
    return;
  }
  process.exitCode = runExitCode({ outcome: started.outcome, left: [...started.left] });
  const { run, outcome, left } = started;
  if (json) printJson({ type: "resumed", state: "ended", run, before, from: origin.location, outcome, left });
  else {
    printLine(endedWords(started));
    printLine(
      `Its state is as it was, at ${origin.location}. Next: npx mayfly logs ${run}, npx mayfly resume ${run}`,
    );
  }
}

import { Command } from "@commander-js/extra-typings";
import type { RunSummary } from "../../run/index.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";
import { waiting } from "../stream.ts";

export const submitCommand = () =>
  new Command("submit")
    .description("put a job into the queue and print its run id; a worker runs it (mayfly work)")
    .argument("<job>", "job spec, YAML or JSON")
    .option("--key <key>", "submitting again with the same key gives the same run, once made")
    .option("--priority <number>", "within the job's service class: larger goes first, -1000 to 1000", "0")
    .option("--interval-start <time>", "start of the data that the run is about, inclusive, ISO 8601")
    .option("--interval-end <time>", "its end, exclusive")
    .option("--wait", "wait until the run has ended, as mayfly wait does")
    .option("--timeout <duration>", "with --wait: give up after this, such as 90s or 15m")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit codes: 0 queued, or there already by its key; 14 the tenant may not have this service class; 20 it does not fit; 65 invalid
spec; 69 the tenant's queue is full; 73 the key's first run was of another spec. With --wait also those of mayfly wait.` +
        examples(
          "mayfly submit examples/pi/job.yaml",
          "mayfly submit examples/pi/job.yaml --key nightly-2026-11-24 --interval-start 2026-11-23 --interval-end 2026-11-24",
          "mayfly submit examples/pi/job.yaml --wait --timeout 1h",
        ),
    )
    .action(async (file, options, command) => {
      const { key, priority, intervalStart, intervalEnd, wait, timeout, json, connection } = options;
      if (timeout !== undefined && wait !== true) command.error("error: --timeout is for --wait.");
      const [{ submitJob }, { parseInterval, parsePriority }, { parseTimeout }] = await Promise.all([
        import("../../work/index.ts"),
        import("../../work/submit.ts"),
        import("../../work/wait.ts"),
      ]);
      // All that is wrong with the command line is told before anything is queued.
      const timeoutSeconds = parseTimeout(timeout);
      const interval = parseInterval(intervalStart, intervalEnd);
      const asked = { key, priority: parsePriority(priority), interval, connection };
      const submitted = await submitJob(file, asked);
      // With --wait the one document is the run as it ended.
      if (json !== true) printLine(submitted.run);
      else if (wait !== true) printJson(submitted);
      if (wait === true) await waitAndTell(submitted.run, timeoutSeconds, json === true);
    });

/** Its exit code is the outcome's. */
async function waitAndTell(run: string, timeoutSeconds: number | undefined, json: boolean): Promise<void> {
  const [{ waitForRun }, { endedExitCode }] = await Promise.all([
    import("../../work/index.ts"),
    import("../../work/wait.ts"),
  ]);
  const ended = await waitForRun(run, { timeoutSeconds });
  process.exitCode = endedExitCode(ended);
  if (json) printJson(ended);
  else printLine(`${ended.run}: ${ended.state}${reason(ended)}`);
}

export const waitCommand = () =>
  new Command("wait")
    .description("wait until a run has ended; the exit code is its outcome's")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .option("--timeout <duration>", "give up after this, such as 90s or 15m")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit codes: those of mayfly run; 66 there is no such run; 75 it has not ended in time, and goes on.` +
        examples("mayfly wait pi-1a2b3c4d", "mayfly wait pi-1a2b3c4d --timeout 15m --json"),
    )
    .action(async (run, { timeout, json }) => {
      const { parseTimeout } = await import("../../work/wait.ts");
      await waitAndTell(run, parseTimeout(timeout), json === true);
    });

const reason = ({ outcome }: { readonly outcome: { readonly kind: string } | undefined }): string =>
  outcome !== undefined && "message" in outcome ? `. ${String(outcome.message)}` : "";

export const cancelCommand = () =>
  new Command("cancel")
    .description("end a run that is queued or that a worker works on; its cluster is destroyed")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .option("--discard-state", "also a live stream, whose state is lost by that; mayfly suspend keeps it")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
It returns at once: mayfly wait tells when all is gone. Asking again changes nothing. A stream that nobody works on is ended here.
Exit codes: 0 asked for, or cancelled already; 66 there is no such run; 73 it has ended otherwise, or its cluster is kept, or it is a
live stream whose state would be lost.` +
        examples(
          "mayfly cancel pi-1a2b3c4d",
          "mayfly cancel pi-1a2b3c4d && mayfly wait pi-1a2b3c4d",
          "mayfly cancel clicks-1a2b3c4d --discard-state",
        ),
    )
    .action(async (run, { discardState, json }) => {
      const { cancelRun } = await import("../../work/index.ts");
      const asked = await cancelRun(run, { discardState });
      const summary = discardState === true && asked.endedAt === undefined ? await ended(run, asked) : asked;
      if (json === true) printJson(summary);
      else if (summary.state === "cancelled") printLine(`${run}: cancelled`);
      else printLine(`${run}: is being cancelled; it was ${summary.state}`);
    });

/** Of a stream that nobody works on nobody else would bring the end about. */
async function ended(run: string, asked: RunSummary): Promise<RunSummary> {
  const [{ endStream }, { showRun }] = await Promise.all([
    import("../../stream/index.ts"),
    import("../../run/index.ts"),
  ]);
  const here = await waiting(`cancel ${run}`, async (told) => await endStream(run, told));
  return here ? (await showRun(run)).summary : asked;
}

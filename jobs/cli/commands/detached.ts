import { Command } from "@commander-js/extra-typings";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";

export const submitCommand = () =>
  new Command("submit")
    .description("put a job into the queue and print its run id; a worker runs it (mayfly work)")
    .argument("<job>", "job spec, YAML or JSON")
    .option("--key <key>", "submitting again with the same key gives the same run, once made")
    .option("--priority <number>", "larger goes first", "0")
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Exit codes: 0 queued, or there already by its key; 20 it does not fit; 65 invalid spec; 69 the tenant's queue is full;
73 the key's first run was of another spec.` +
        examples(
          "mayfly submit examples/pi/job.yaml",
          "mayfly submit examples/pi/job.yaml --key nightly-2026-11-24",
          'mayfly wait "$(mayfly submit examples/pi/job.yaml)"',
        ),
    )
    .action(async (file, { key, priority, json, connection }) => {
      const [{ submitJob }, { parsePriority }] = await Promise.all([
        import("../../work/index.ts"),
        import("../../work/submit.ts"),
      ]);
      const submitted = await submitJob(file, { key, priority: parsePriority(priority), connection });
      if (json === true) printJson(submitted);
      else printLine(submitted.run);
    });

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
      const [{ waitForRun }, { endedExitCode, parseTimeout }] = await Promise.all([
        import("../../work/index.ts"),
        import("../../work/wait.ts"),
      ]);
      const ended = await waitForRun(run, { timeoutSeconds: parseTimeout(timeout) });
      process.exitCode = endedExitCode(ended);
      if (json === true) printJson(ended);
      else printLine(`${ended.run}: ${ended.state}${reason(ended)}`);
    });

const reason = ({ outcome }: { readonly outcome: { readonly kind: string } | undefined }): string =>
  outcome !== undefined && "message" in outcome ? `. ${String(outcome.message)}` : "";

export const cancelCommand = () =>
  new Command("cancel")
    .description("end a run that is queued or that a worker works on; its cluster is destroyed")
    .argument("<run>", "run id, as `mayfly runs` shows it")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
It returns at once: mayfly wait tells when all is gone. Asking again changes nothing.
Exit codes: 0 asked for, or cancelled already; 66 there is no such run; 73 it has ended otherwise.` +
        examples("mayfly cancel pi-1a2b3c4d", "mayfly cancel pi-1a2b3c4d && mayfly wait pi-1a2b3c4d"),
    )
    .action(async (run, { json }) => {
      const { cancelRun } = await import("../../work/index.ts");
      const summary = await cancelRun(run);
      if (json === true) printJson(summary);
      else if (summary.state === "cancelled") printLine(`${run}: cancelled`);
      else printLine(`${run}: is being cancelled; it was ${summary.state}`);
    });

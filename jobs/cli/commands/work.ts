import { Command, InvalidArgumentError } from "@commander-js/extra-typings";
import type { RunEvent } from "../../../schema/events.ts";
import type { WorkerNote } from "../../work/index.ts";
import { connectionOption, examples, jsonOption } from "../options.ts";
import { printJson, printLine } from "../output.ts";

const slots = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 64)
    throw new InvalidArgumentError("It must be a whole number from 1 to 64.");
  return value;
};

const port = (text: string): number => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError("It must be a port from 1 to 65535.");
  return value;
};

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export const STOPPING = `
SIGTERM or Ctrl-C: takes no more, gives running ones 20 s to end, then hands the rest over to other workers (a second one hands over
at once). Exit codes: 0 in any case where it could work at all; what became of the runs: mayfly runs, mayfly wait.`;

export const workCommand = () =>
  new Command("work")
    .description("take queued runs and bring them to their ends; also those whose worker is gone")
    .option("--slots <count>", "runs at a time", slots, 4)
    .option("--once", "take what is due now, bring it to its end, and leave")
    .option("--drain", "leave when nothing is queued or at work any more")
    .option("--health <port>", "answer GET /livez and /readyz there, for a kubelet's probes", port)
    .addOption(connectionOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      STOPPING + examples("mayfly work", "mayfly work --slots 8 --drain", "mayfly work --json"),
    )
    .action(async ({ slots: count, once, drain, health, json, connection }) => {
      const mode = drain === true ? "drain" : once === true ? "once" : "serve";
      await serve({ mode, slots: count, connection, healthPort: health }, json === true);
    });

/** Works until that has an end, and says what it does. */
export async function serve(
  options: {
    readonly mode: "serve" | "drain" | "once" | "resume";
    readonly slots: number;
    readonly connection: string | undefined;
    readonly healthPort?: number | undefined;
  },
  json: boolean,
): Promise<void> {
  const { work } = await import("../../work/index.ts");
  const stop = new AbortController();
  const hurry = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) hurry.abort();
    else if (!json)
      printLine("Stopping: takes no more; running ones have 20 s, then others go on with them.");
    stop.abort();
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    const ended = await work({
      ...options,
      signal: stop.signal,
      hurry: hurry.signal,
      onEvent: json ? printJson : showEvent,
      onNote: json ? printJson : showNote,
    });
    if (json) printJson({ type: "worked", ended });
    else printLine(`${ended} ${ended === 1 ? "run" : "runs"} ended here.`);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

/** One line for what people want to know of a run that is one among many. */
function showEvent(event: RunEvent): void {
  if (event.type === "phase") printLine(`${event.run}  ${event.phase}`);
  if (event.type === "warning") printLine(`${event.run}  note: ${event.message}`);
  if (event.type === "outcome") {
    const { outcome } = event;
    printLine(`${event.run}  ${outcome.kind}${"message" in outcome ? `: ${outcome.message}` : ""}`);
  }
}

const ENDS = {
  ended: "is over",
  retry: "waits for its next attempt",
  "handed-over": "was handed over",
  "not-ours": "is another worker's now",
} as const;

function showNote(note: WorkerNote): void {
  switch (note.type) {
    case "claimed":
      printLine(`${note.run}  taken from the queue`);
      break;
    case "recovering":
      printLine(`${note.run}  its worker is gone: going on with it`);
      break;
    case "left":
      printLine(`${note.run}  ${ENDS[note.end]}`);
      break;
    case "held-back":
      process.stderr.write(
        `note: ${note.queued} ${note.queued === 1 ? "run waits" : "runs wait"} and none is taken: this machine lacks memory for one more.\n`,
      );
      break;
    case "trouble":
      process.stderr.write(`note: ${note.message} Trying again.\n`);
      break;
  }
}

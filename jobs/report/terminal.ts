import { createLogUpdate } from "log-update";
import { paint } from "../../base/progress.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { Phase } from "../../schema/report.ts";
import { printable } from "./printable.ts";
import { describeStream } from "./stream-words.ts";
import { renderReport } from "./table.ts";
import {
  endedWell,
  formatCpu,
  formatMib,
  formatMoney,
  formatSeconds,
  nextCommands,
  OUTCOME_WORDS,
  outcomeMessage,
} from "./words.ts";

/** Shows events as they come. */
export interface Reporter {
  /** Never throws. */
  readonly onEvent: (event: RunEvent) => void;
  /** Prints a line for people between the events, such as what a second Ctrl-C does. Never throws. */
  readonly note: (line: string) => void;
  /** Stops timers and leaves the terminal tidy. Never throws. */
  readonly close: () => void;
}

export interface ReporterOptions {
  /** Events as NDJSON on `out` instead of text. */
  readonly json: boolean;
  /** For the commands to type next: how the job was named on the command line. */
  readonly jobFile?: string | undefined;
  /** Progress and logs; standard error where left out. Live on a terminal, plain lines elsewhere. */
  readonly err?: NodeJS.WriteStream | undefined;
  /** The report, or JSON; standard output where left out. */
  readonly out?: NodeJS.WriteStream | undefined;
}

/** What people read while a phase goes on. */
const PHASE_WORDS: Readonly<Record<Phase, string>> = {
  preparing: "checking cluster, inputs and secrets",
  creating: "making the cluster",
  starting: "pods are starting",
  running: "the driver runs",
  collecting: "saving logs",
  destroying: "removing every object",
  verifying: "looking for anything left",
};

const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const FRAME_MS = 120;
/** Pods shown live; of a large run only those that are not running. */
const PODS_SHOWN = 8;

/** Wraps a display so that it can't harm a run: a broken pipe or a defect here ends the display only. */
function harmless(reporter: Reporter, err: NodeJS.WriteStream): Reporter {
  let broken = false;
  const guard = (work: () => void): void => {
    if (broken) return;
    try {
      work();
    } catch (error) {
      broken = true;
      try {
        err.write(
          `The display failed and says no more: ${error instanceof Error ? error.message : String(error)}\n`,
        );
      } catch {
        // Nobody is left to tell.
      }
    }
  };
  return {
    onEvent: (event) => {
      guard(() => {
        reporter.onEvent(event);
      });
    },
    note: (line) => {
      guard(() => {
        reporter.note(line);
      });
    },
    close: () => {
      guard(reporter.close);
    },
  };
}

export function createReporter(options: ReporterOptions): Reporter {
  const err = options.err ?? process.stderr;
  const out = options.out ?? process.stdout;
  // `mayfly run … | head` closes the pipe early: not an error of the run.
  const ignore = (): void => undefined;
  for (const stream of new Set([err, out])) stream.on("error", ignore);
  const made = options.json
    ? jsonReporter(out, err)
    : textReporter(out, err, options.jobFile, err.isTTY ? liveScreen(err) : plainScreen(err));
  return harmless(
    {
      ...made,
      close: () => {
        made.close();
        for (const stream of new Set([err, out])) stream.off("error", ignore);
      },
    },
    err,
  );
}

function jsonReporter(out: NodeJS.WriteStream, err: NodeJS.WriteStream): Reporter {
  return {
    onEvent: (event) => {
      out.write(`${JSON.stringify(event)}\n`);
    },
    note: (line) => {
      err.write(`${line}\n`);
    },
    close: () => undefined,
  };
}

/** Where text goes: lines that stay, and what goes on at the moment. */
interface Screen {
  readonly live: boolean;
  readonly line: (text: string) => void;
  /** What goes on now, drawn anew again and again on a terminal. */
  readonly now: (draw: (() => string) | undefined) => void;
  readonly close: () => void;
}

const plainScreen = (err: NodeJS.WriteStream): Screen => ({
  live: false,
  line: (text) => {
    err.write(`${text}\n`);
  },
  now: () => undefined,
  close: () => undefined,
});

function liveScreen(err: NodeJS.WriteStream): Screen {
  // Hiding the cursor would bring exit and signal handlers of its own (restore-cursor), beside those of the run.
  const screen = createLogUpdate(err, { showCursor: true });
  let draw: (() => string) | undefined;
  const redraw = (): void => {
    if (draw !== undefined) screen(draw());
  };
  const timer = setInterval(redraw, FRAME_MS);
  timer.unref();
  return {
    live: true,
    line: (text) => {
      screen.clear();
      err.write(`${text}\n`);
      redraw();
    },
    now: (next) => {
      draw = next;
      if (draw === undefined) screen.clear();
      else redraw();
    },
    close: () => {
      clearInterval(timer);
      draw = undefined;
      screen.clear();
      screen.done();
    },
  };
}

function textReporter(
  out: NodeJS.WriteStream,
  err: NodeJS.WriteStream,
  jobFile: string | undefined,
  screen: Screen,
): Reporter {
  const style = (format: Parameters<typeof paint>[0], text: string): string => paint(format, text, err);
  let submitted = Date.now();
  let current: { phase: Phase; since: number; resources: number } | undefined;
  const pods = new Map<string, string>();

  /** Time since the submission, as a column. */
  const clock = (at: string): string =>
    style("dim", `[${((Date.parse(at) - submitted) / 1000).toFixed(1).padStart(6)} s]`);

  const podLines = (): string[] => {
    const all = [...pods];
    const shown =
      all.length <= PODS_SHOWN ? all : all.filter(([, state]) => state !== "running").slice(0, PODS_SHOWN);
    const rest = all.length - shown.length;
    const width = Math.max(0, ...shown.map(([name]) => name.length));
    return [
      ...shown.map(([name, state]) => `    ${name.padEnd(width)}  ${style("dim", state)}`),
      ...(rest > 0 ? [style("dim", `    and ${rest} more`)] : []),
    ];
  };
  const draw = (): string => {
    if (current === undefined) return "";
    const now = Date.now();
    const frame = FRAMES[Math.floor(now / FRAME_MS) % FRAMES.length] ?? "";
    const objects = current.resources > 0 ? `, ${current.resources} objects` : "";
    const head = `${style("cyan", frame)} ${PHASE_WORDS[current.phase]}${objects}  ${style("dim", formatSeconds((now - current.since) / 1000))}`;
    const withPods =
      current.phase === "starting" || current.phase === "running" || current.phase === "creating";
    return [head, ...(withPods ? podLines() : [])].join("\n");
  };
  const endPhase = (at: string): void => {
    if (current === undefined) return;
    const took = formatSeconds(Math.max(0, Date.parse(at) - current.since) / 1000);
    // Elsewhere than on a terminal the line was printed when the phase began.
    if (screen.live)
      screen.line(`${style("green", "✓")} ${PHASE_WORDS[current.phase]} ${style("dim", took)}`);
    current = undefined;
  };

  const onEvent = (event: RunEvent): void => {
    switch (event.type) {
      case "planned": {
        submitted = Date.parse(event.at);
        pods.clear();
        const cost =
          event.cost === undefined
            ? ""
            : `, about ${formatMoney(event.cost.perHour, event.cost.currency)} an hour (prices of ${event.cost.asOf})`;
        const until =
          event.deadlineSeconds === undefined
            ? "goes on until it is suspended or cancelled"
            : `destroyed at the latest after ${formatSeconds(event.deadlineSeconds)}`;
        screen.line(
          `${style("bold", event.run)} (job ${event.job}, tenant ${event.tenant}) will make ${event.pods} pods with ` +
            `${formatCpu(event.cpu)} and ${formatMib(event.memory)} in namespace ${event.namespace}`,
        );
        screen.line(`pool ${event.pool}, zone ${event.zone}, ${until}${cost}`);
        break;
      }
      case "phase":
        endPhase(event.at);
        // The phase's own elapsed time is from the submission, which came before the plan.
        submitted = Date.parse(event.at) - event.elapsedSeconds * 1000;
        current = { phase: event.phase, since: Date.parse(event.at), resources: 0 };
        if (!screen.live) screen.line(`${clock(event.at)} ${event.phase}: ${PHASE_WORDS[event.phase]}`);
        screen.now(draw);
        break;
      case "resource":
        if (current !== undefined) current.resources++;
        break;
      case "pod":
        pods.set(event.pod, event.state);
        if (!screen.live) screen.line(`${clock(event.at)} pod ${event.pod}: ${event.state}`);
        break;
      case "log":
        screen.line(`${style("dim", `${event.source} |`)} ${printable(event.line)}`);
        break;
      case "warning":
        screen.line(`${clock(event.at)} ${style("yellow", "warning")}: ${printable(event.message)}`);
        break;
      case "stream":
        screen.line(`${clock(event.at)} stream: ${describeStream(event.stream)}`);
        break;
      case "savepoint":
        screen.line(`${clock(event.at)} savepoint: ${printable(event.location)}`);
        break;
      case "answer": {
        const colour = event.ok ? "green" : "red";
        screen.line(
          `${clock(event.at)} ${style(colour, `${event.kind} ${event.ok ? "done" : "not done"}`)}: ${printable(event.message)}`,
        );
        break;
      }
      case "outcome": {
        const { outcome } = event;
        const message = outcomeMessage(outcome);
        const colour = endedWell(outcome) ? "green" : "red";
        const text = message === undefined ? "" : `: ${printable(message)}`;
        screen.line(`${clock(event.at)} ${style(colour, OUTCOME_WORDS[outcome.kind])}${text}`);
        break;
      }
      case "report": {
        endPhase(event.at);
        screen.now(undefined);
        out.write(`\n${renderReport(event.report, { width: out.columns, colour: out.isTTY })}\n`);
        const commands = nextCommands(event.report, jobFile).map((command) => `  ${command}`);
        out.write(`\nNext:\n${commands.join("\n")}\n`);
        break;
      }
    }
  };
  return { onEvent, note: screen.line, close: screen.close };
}

// What the commands for streams have in common: progress, interruptions, words.
import { Option } from "@commander-js/extra-typings";
import { step } from "../../base/progress.ts";
import type { RunEvent } from "../../schema/events.ts";
import { OUTCOME_EXIT, type Outcome } from "../../schema/outcome.ts";
import { count } from "./options.ts";

/** What a function of jobs/stream is told while it works. */
export interface Told {
  readonly onEvent: (event: RunEvent) => void;
  readonly onNote: (line: string) => void;
  readonly signal: AbortSignal;
}

export const STREAM_ARGUMENT = "the job's name, or a run of it";

export const tenantOption = () =>
  new Option("--tenant <tenant>", "whose stream, where several tenants have a job of that name");

export const countOption = <Flags extends string>(flags: Flags, what: string) =>
  new Option(flags, what).argParser(count);

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Waits for what was asked of a live stream, and says on standard error how it goes. The first Ctrl-C ends the wait: what was asked stands.
 * @param name What is done, in words.
 */
export async function waiting<T>(name: string, work: (told: Told) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const interrupt = (): void => {
    if (stop.signal.aborted) process.exit(OUTCOME_EXIT.cancelled);
    process.stderr.write("No longer waiting; what was asked stands. Once more leaves at once.\n");
    stop.abort();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await step(
      name,
      async (report) =>
        await work({
          signal: stop.signal,
          onNote: note,
          onEvent: (event) => {
            const line = wordsOf(event);
            if (line !== undefined) report(line);
          },
        }),
    );
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

/** On standard error: what was asked for is on standard output. */
export function note(line: string): void {
  process.stderr.write(`note: ${line}\n`);
}

function wordsOf(event: RunEvent): string | undefined {
  if (event.type === "phase") return event.phase;
  if (event.type === "pod") return `${event.pod} ${event.state}`;
  return event.type === "warning" ? event.message : undefined;
}

/**
 * Does something in which a run begins, and shows it as `mayfly run` does. The first Ctrl-C gives that run up.
 * @param stream Named in the command that goes on, where somebody leaves at once.
 */
export async function starting<T>(
  stream: string,
  { json, jobFile }: { readonly json: boolean; readonly jobFile?: string | undefined },
  work: (told: Told) => Promise<T>,
): Promise<T> {
  const [{ handleInterruptions }, { createReporter }] = await Promise.all([
    import("../run/index.ts"),
    import("../report/index.ts"),
  ]);
  const reporter = json ? undefined : createReporter({ json, jobFile });
  const say = reporter?.note ?? note;
  const interruptions = handleInterruptions(say, (code) => {
    say(`What was begun goes on with: npx mayfly resume ${stream}`);
    process.exit(code);
  });
  try {
    return await work({
      signal: interruptions.signal,
      onNote: (line) => {
        say(`note: ${line}`);
      },
      onEvent: (event) => {
        interruptions.observe(event);
        // That of the run before, which ended as it was asked to, is not what somebody waits for here.
        if (event.type !== "report" || event.report.outcome.kind !== "suspended") reporter?.onEvent(event);
      },
    });
  } finally {
    reporter?.close();
    interruptions.dispose();
  }
}

/** Who looks after a stream once its command has returned. */
export const looksAfter = (run: string): readonly string[] => [
  `${run} is healthy, and goes on without this command.`,
  "A worker looks after it (npx mayfly work); without one nobody starts it again after a failure until the next command for it.",
  `Next: npx mayfly show ${run}, npx mayfly suspend ${run}`,
];

/** How a run that never was healthy ended, in one line. */
export const endedWords = ({
  run,
  outcome,
  left,
}: {
  readonly run: string;
  readonly outcome: Outcome;
  readonly left: readonly string[];
}): string =>
  `${run} did not become healthy: ${"message" in outcome ? outcome.message : outcome.kind}${left.length === 0 ? "" : ` Left behind: ${left.join(", ")}.`}`;

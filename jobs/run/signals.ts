import { formatElapsed } from "../../base/progress.ts";
import type { RunEvent } from "../../schema/events.ts";
import { OUTCOME_EXIT } from "../../schema/outcome.ts";
import type { Interruptions } from "./types.ts";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** What goes on, in words, for somebody who waits. */
const DOING: Readonly<Record<string, string>> = {
  preparing: "checking what is there before anything is made",
  creating: "stopping the engine in an orderly way",
  starting: "stopping the run",
  running: "stopping the run",
  collecting: "saving logs",
  destroying: "destroying the cluster",
  verifying: "waiting for the namespace to be gone",
};

/** See index.ts. `leave` ends the process; tests have their own. */
export function handleInterruptions(
  say: (line: string) => void,
  leave: (code: number) => void = (code) => process.exit(code),
): Interruptions {
  const controller = new AbortController();
  let run: string | undefined;
  let phase = "preparing";
  let since = performance.now();
  let count = 0;

  const interrupt = (): void => {
    count++;
    if (count === 1) {
      const next = run === undefined ? "" : ` Its cluster is destroyed first.`;
      say(`Cancelling${run === undefined ? "" : ` ${run}`}.${next}`);
      controller.abort();
      return;
    }
    if (count === 2) {
      const elapsed = formatElapsed(performance.now() - since);
      say(
        `Still ${DOING[phase] ?? phase} (${elapsed}); this takes seconds, rarely minutes. Once more leaves at once, with the cluster up.`,
      );
      return;
    }
    say(run === undefined ? "Left." : `Left with the cluster up. Remove it: npx mayfly destroy ${run}`);
    leave(OUTCOME_EXIT.cancelled);
  };

  for (const name of SIGNALS) process.on(name, interrupt);
  return {
    signal: controller.signal,
    observe: (event: RunEvent) => {
      run = event.run;
      if (event.type !== "phase") return;
      ({ phase } = event);
      since = performance.now();
    },
    dispose: () => {
      for (const name of SIGNALS) process.off(name, interrupt);
    },
  };
}

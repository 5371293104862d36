import type { JobSpec } from "../../schema/job.ts";
import { parseDuration } from "../../schema/primitives.ts";
import type { DeadlineName, RunState } from "../run/machine.ts";

/**
 * What a phase may take, in seconds. `pending`, `image`, `start` are the watch's, by the plan; these are for what has no end of its
 * own, and longer than the functions behind them ever take.
 */
const SECONDS = { plan: 60, create: 900, recover: 900, destroy: 900 } as const;
/** For saving logs; who cancels does not want to wait for them long. */
const LOGS_SECONDS = { cancelled: 10, ended: 120 } as const;
/** Longer ones fire at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const LONGEST_MS = 2 ** 31 - 1;

type Tell = (name: DeadlineName, limitSeconds: number) => void;

/** The timers of one run: its own deadline from its submission, and one for the phase that it is in. */
export class Deadlines {
  readonly #limit: number;
  readonly #submittedAt: Date;
  readonly #tell: Tell;
  #run: NodeJS.Timeout | undefined;
  #phase: NodeJS.Timeout | undefined;

  constructor(spec: JobSpec, submittedAt: Date, tell: Tell) {
    this.#limit = parseDuration(spec.deadline) ?? 3600;
    this.#submittedAt = submittedAt;
    this.#tell = tell;
  }

  begin(): void {
    const left = this.#submittedAt.getTime() + this.#limit * 1000 - Date.now();
    this.#run = setTimeout(
      () => {
        this.#tell("run", this.#limit);
      },
      Math.min(Math.max(0, left), LONGEST_MS),
    );
  }

  follow(before: RunState, state: RunState): void {
    const next = timed(state);
    if (timed(before)?.[0] === next?.[0]) return;
    clearTimeout(this.#phase);
    if (next === undefined) return;
    const [name, seconds] = next;
    this.#phase = setTimeout(() => {
      this.#tell(name, seconds);
    }, seconds * 1000);
  }

  clear(): void {
    clearTimeout(this.#run);
    clearTimeout(this.#phase);
  }
}

/** The deadline of a state, with its seconds. */
function timed(state: RunState): readonly [DeadlineName, number] | undefined {
  switch (state.phase) {
    case "planning":
      return ["plan", SECONDS.plan];
    case "creating":
      return state.step === "made" ? undefined : ["create", SECONDS.create];
    case "finishing":
      return ["logs", LOGS_SECONDS[state.facts.cancelRequested ? "cancelled" : "ended"]];
    case "recovering":
      return ["recover", SECONDS.recover];
    case "destroying":
      return ["destroy", SECONDS.destroy];
    case "new":
    case "queued":
    case "running":
    case "adrift":
    case "kept":
    case "succeeded":
    case "failed":
    case "cancelled":
    case "lost":
      return undefined;
  }
}

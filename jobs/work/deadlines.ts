import type { DeadlineName, RunState } from "../run/machine.ts";
import { removalLimits } from "../run/removal-limits.ts";

/**
 * What a phase may take, in seconds. `pending`, `image`, `start` are the watch's, by the plan; these are for what has no end of its
 * own, and longer than the functions behind them ever take.
 */
const SECONDS = { plan: 60, create: 900, suspend: 900, recover: 900 } as const;
/** For saving logs; who cancels does not want to wait for them long. */
const LOGS_SECONDS = { cancelled: 10, ended: 120 } as const;
/** Longer ones fire at once: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
export const LONGEST_MS = 2 ** 31 - 1;

type Tell = (name: DeadlineName, limitSeconds: number) => void;

/**
 * The watch tells its own deadline with what it knows of the pods, and counts the same time: this one is for what it does not see, and
 * comes a little later.
 */
const AFTER_THE_WATCH_MS = 2000;

/** The timers of one run: its own deadline, from when a helper first took it up, and one for the phase that it is in. */
export class Deadlines {
  readonly #limit: number | undefined;
  readonly #startedAt: Date;
  readonly #tell: Tell;
  #run: NodeJS.Timeout | undefined;
  #phase: NodeJS.Timeout | undefined;

  /** @param limitSeconds The run's own; undefined for none. */
  constructor(limitSeconds: number | undefined, startedAt: Date, tell: Tell) {
    this.#limit = limitSeconds;
    this.#startedAt = startedAt;
    this.#tell = tell;
  }

  begin(): void {
    const limit = this.#limit;
    if (limit === undefined) return;
    this.#run = setTimeout(
      () => {
        this.#tell("run", limit);
      },
      Math.min(leftOf(limit * 1000, this.#startedAt, Date.now()) + AFTER_THE_WATCH_MS, LONGEST_MS),
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

/** Pure: how much of a limit is left. Another helper's clock may have been ahead of ours: never more than all of it. */
export const leftOf = (limitMs: number, startedAt: Date, now: number): number =>
  Math.max(0, Math.min(limitMs, startedAt.getTime() + limitMs - now));

/** The deadline of a state, with its seconds. */
function timed(state: RunState): readonly [DeadlineName, number] | undefined {
  switch (state.phase) {
    case "planning":
      return ["plan", SECONDS.plan];
    case "creating":
      return state.step === "made" ? undefined : ["create", SECONDS.create];
    case "finishing":
      return ["logs", LOGS_SECONDS[state.facts.cancelRequested ? "cancelled" : "ended"]];
    case "suspending":
      return ["suspend", SECONDS.suspend];
    case "recovering":
      return ["recover", SECONDS.recover];
    case "destroying":
      return ["destroy", removalLimits().giveUpSeconds];
    case "new":
    case "queued":
    case "waiting":
    case "refused":
    case "running":
    case "adrift":
    case "kept":
    case "succeeded":
    case "suspended":
    case "failed":
    case "cancelled":
    case "lost":
      return undefined;
  }
}

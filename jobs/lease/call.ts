import type { Clock, LeaseAnswer } from "./types.ts";

/**
 * Calls of a port, each for a limited time. An API server that is slower than that has each later call wait for twice as long, so that
 * one which takes its time is heard in the end; one that answers makes them shorter again.
 */
export class Caller {
  readonly #clock: Clock;
  readonly #least: number;
  readonly #most: number;
  #patience: number;

  /** @param least What a first call gets, in milliseconds. @param most What the last of many late ones gets. */
  constructor(clock: Clock, least: number, most: number) {
    this.#clock = clock;
    this.#least = least;
    this.#most = most;
    this.#patience = least;
  }

  /**
   * What is not answered in time is `unanswered`, also where the port does not heed its signal. Errors of the port are thrown.
   * @param left Milliseconds after which an answer is of no use any more: half of that, at least, is waited for.
   */
  async call(
    call: (signal: AbortSignal) => Promise<LeaseAnswer>,
    left = Number.POSITIVE_INFINITY,
  ): Promise<LeaseAnswer> {
    const worth = Number.isFinite(left) ? left / 2 : 0;
    const patience = Math.min(Math.max(this.#patience, worth), left);
    const asked = this.#clock.monotonic();
    const answer = await callWithin(this.#clock, patience, call);
    const took = this.#clock.monotonic() - asked;
    // A connection that is refused is unanswered at once: no reason to wait for longer.
    if (answer.kind !== "unanswered" || took >= this.#patience)
      this.#patience = Math.min(this.#most, Math.max(this.#least, 2 * took));
    return answer;
  }
}

async function callWithin(
  clock: Clock,
  ms: number,
  call: (signal: AbortSignal) => Promise<LeaseAnswer>,
): Promise<LeaseAnswer> {
  const late = new AbortController();
  const answered = new AbortController();
  const timeout = async (): Promise<LeaseAnswer> => {
    await clock.sleep(ms, answered.signal);
    const cause = new Error(`no answer within ${ms / 1000} s`);
    late.abort(cause);
    return { kind: "unanswered", cause };
  };
  const called = call(late.signal);
  try {
    return await Promise.race([called, timeout()]);
  } finally {
    answered.abort();
    // Once it is late, nobody waits for it any more.
    called.catch(() => undefined);
  }
}

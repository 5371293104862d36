import type { Clock, LeaseAnswer } from "./types.ts";

/**
 * One call of the port, for at most `ms` by `clock`; what is not answered by then is `unanswered`, also where the port does not heed
 * its signal. Errors of the port are thrown.
 */
export async function callWithin(
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

/**
 * The wall clock as it was when this was called, carried on by the monotonic one: in milliseconds, comparable with times of before, and
 * never set back or forward. A clock that somebody sets, or NTP steps, must not end a run by its deadline.
 */
export function steadyClock(): () => number {
  const offset = Date.now() - performance.now();
  return () => Math.round(offset + performance.now());
}

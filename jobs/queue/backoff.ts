import { createHash } from "node:crypto";

/** Longest wait before the second try, and before any. */
const BASE_MS = 5000;
const CAP_MS = 300_000;

/** Between 0 and 1 (exclusive), by nothing but the text. */
function fraction(text: string): number {
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / 2 ** 48;
}

/**
 * Pure: how long to wait before try number `attempt + 1`, in milliseconds. Exponential with full jitter, so that what failed together
 * does not come back together (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/); the jitter is the hash
 * of `seed` and `attempt`, so that two helpers reckon the same.
 * @param seed Mostly the run's id.
 * @param attempt Tries so far, at least 1.
 */
export function backoffMs(seed: string, attempt: number): number {
  const limit = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt - 1, 30));
  return Math.floor(fraction(`${seed}/${attempt}`) * limit);
}

// What tests ask of a counting stream: that its output is exact, and how far it is.
import { setTimeout as sleep } from "node:timers/promises";
import { checkCounts, type ExactCounts } from "../../examples/flink-stream/counts.ts";
import { readCounted } from "../../examples/flink-stream/output.ts";

/**
 * The counts under a location, which must be exact.
 * @param upto All numbers below it must be there.
 * @throws Offence
 */
export const exactCounts = async (location: string, upto?: number): Promise<ExactCounts> =>
  checkCounts(await readCounted(location), upto);

/**
 * Waits until all numbers below `upto` are there; what is there meanwhile must be exact each time it is looked at.
 * @throws Offence Also when the time is over: then it names the first number that is missing.
 */
export async function countedUpTo(location: string, upto: number, timeoutMs = 120_000): Promise<ExactCounts> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const counts = await exactCounts(location, Date.now() < end ? undefined : upto);
    if (counts.whole >= upto) return counts;
    await sleep(1000);
  }
}

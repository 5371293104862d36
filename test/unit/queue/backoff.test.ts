import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffMs } from "../../../jobs/queue/index.ts";

test("never waits longer than 5 s doubled with each try, nor than 5 min", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 1000 }), (run, attempt) => {
      const wait = backoffMs(run, attempt);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThan(Math.min(300_000, 5000 * 2 ** (attempt - 1)));
      expect(Number.isInteger(wait)).toBe(true);
    }),
  );
});

test("is the same for every helper, and spreads runs evenly over the whole time", () => {
  expect(backoffMs("pi-11240544-k3fq", 3)).toBe(backoffMs("pi-11240544-k3fq", 3));
  const waits = Array.from({ length: 2000 }, (_, index) => backoffMs(`pi-${index}`, 4) / 40_000);
  for (const quarter of [0, 1, 2, 3]) {
    expect(waits.filter((wait) => Math.floor(wait * 4) === quarter).length).toBeGreaterThan(400);
  }
});

import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { steadyClock } from "../../../jobs/watch/clock.ts";

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ["two hours forward", 7_200_000],
  ["two hours back", -7_200_000],
])("a steady clock begins as the wall clock and goes on when that one jumps %s", async (_which, jump) => {
  const began = Date.now();
  const now = steadyClock();
  expect(now() - began).toBeLessThan(100);
  vi.useFakeTimers({ toFake: ["Date"], now: began + jump });
  expect(Date.now() - began).toBe(jump);
  await sleep(50);
  const passed = now() - began;
  expect(passed).toBeGreaterThanOrEqual(49);
  expect(passed).toBeLessThan(5000);
});

import { describe, expect, test } from "vitest";
import { parsePriority } from "../../../jobs/work/submit.ts";
import { leaseTiming } from "../../../jobs/work/timing.ts";
import { endedExitCode, parseTimeout } from "../../../jobs/work/wait.ts";

describe("how long a lease lasts", () => {
  test.each(["4", "30", "3600", undefined, ""])("%s leaves its holder time for two renewals", (text) => {
    const { duration, renew, call, margin, retry } = leaseTiming(text);
    expect(duration % 1000).toBe(0);
    expect(2 * renew + call).toBeLessThanOrEqual(duration - margin);
    expect(retry).toBeLessThan(renew);
  });

  test.each(["0", "3", "4.5", "soon", "86400", "-30"])("is refused as %s, naming the variable", (text) => {
    expect(() => leaseTiming(text)).toThrow(
      expect.objectContaining({ code: "lease-duration-invalid", path: "MAYFLY_LEASE_SECONDS", exitCode: 64 }),
    );
  });
});

test("a priority is a whole number, and nothing else is taken for one", () => {
  expect(parsePriority("-5")).toBe(-5);
  for (const text of ["", " ", "high", "1.5", "1e9"])
    expect(() => parsePriority(text)).toThrow(expect.objectContaining({ code: "priority-invalid" }));
});

test("a wait's timeout has a unit", () => {
  expect(parseTimeout("15m")).toBe(900);
  expect(parseTimeout(undefined)).toBeUndefined();
  expect(() => parseTimeout("15")).toThrow(expect.objectContaining({ code: "timeout-invalid" }));
});

test("a run that ended has its outcome's exit code, or that of something left behind", () => {
  expect(endedExitCode({ outcome: { kind: "succeeded" }, left: [] })).toBe(0);
  expect(endedExitCode({ outcome: { kind: "succeeded" }, left: ["Namespace demo-pi"] })).toBe(21);
  expect(endedExitCode({ outcome: undefined, left: [] })).toBe(15);
});

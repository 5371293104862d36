import { expect, test } from "vitest";
import { removalLimits } from "../../../jobs/run/removal-limits.ts";

test.each([undefined, ""])(
  "without a setting (%j) a removal takes three minutes at most, two of them Pulumi",
  (text) => {
    expect(removalLimits(text)).toEqual({
      destroyMs: 120_000,
      goneMs: 60_000,
      giveUpSeconds: 360,
      problem: undefined,
    });
  },
);

test("a setting bounds all of a removal", () => {
  const { destroyMs, goneMs, giveUpSeconds } = removalLimits("45");
  expect(destroyMs + goneMs).toBe(45_000);
  expect(giveUpSeconds).toBe(90);
});

test.each(["soon", "19", "3601", "60.5", "-1"])("%s is told, and the default is used", (text) => {
  const { destroyMs, problem } = removalLimits(text);
  expect(destroyMs).toBe(120_000);
  expect(problem).toContain(`MAYFLY_REMOVAL_SECONDS is no whole number from 20 to 3600: ${text}`);
});

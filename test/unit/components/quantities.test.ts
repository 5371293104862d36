import fc from "fast-check";
import { expect, test } from "vitest";
import { cpu, mebibytes } from "../../../components/core/quantities.ts";
import { parseCpu, parseMemory } from "../../../schema/quantity.ts";

test.each([
  [500, "500m"],
  [1000, "1"],
  [1500, "1500m"],
  [16_000, "16"],
])("%i millicores are written as %s, as Kubernetes would", (millicores, text) => {
  expect(cpu(millicores)).toBe(text);
});

test.each([
  [0, "0"],
  [512, "512Mi"],
  [1024, "1Gi"],
  [1408, "1408Mi"],
  [2 * 1024 * 1024, "2Ti"],
])("%i MiB are written as %s, as Kubernetes would", (mib, text) => {
  expect(mebibytes(mib)).toBe(text);
});

test("no amount changes by being written down", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), (amount) => {
      expect(parseCpu(cpu(amount))).toBe(amount);
      expect(parseMemory(mebibytes(amount))).toBe(amount);
    }),
  );
});

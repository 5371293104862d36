import { expect, test } from "vitest";
import { reserveMib } from "../../../jobs/work/limits.ts";

const GIB = 1024 ** 3;

test("a container keeps less free than a machine that has other things to do", () => {
  expect(reserveMib(1.5 * GIB, 24 * GIB)).toBeLessThan(reserveMib(24 * GIB, 24 * GIB));
});

test("without a limit it is a machine, whatever the kernel says for none", () => {
  expect(reserveMib(0, 24 * GIB)).toBe(1024);
  expect(reserveMib(2 ** 64, 24 * GIB)).toBe(1024);
});

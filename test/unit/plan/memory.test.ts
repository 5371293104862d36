import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jvmParts, memoryLines, overheadMib, totalMib } from "../../../jobs/plan/memory.ts";

describe("memory by Spark's rule", () => {
  it.each([
    { heapMib: 4096, python: false, total: 4505 },
    { heapMib: 4096, python: true, total: 5734 },
    { heapMib: 1024, python: false, total: 1408 },
    { heapMib: 1024, python: true, total: 1433 },
    { heapMib: 512, python: true, total: 896 },
  ])("gives $total MiB for a heap of $heapMib MiB, Python: $python", ({ heapMib, python, total }) => {
    expect(totalMib(jvmParts("executor", { heapMib, python }))).toBe(total);
  });

  it("takes an explicit overhead instead of the rule, even a smaller one", () => {
    expect(overheadMib(4096, true, 100)).toBe(100);
  });

  it("adds off-heap memory and the limit of Python processes on top", () => {
    const parts = jvmParts("executor", { heapMib: 2048, python: true, offHeapMib: 512, pythonMib: 256 });
    expect(totalMib(parts)).toBe(2048 + 819 + 512 + 256);
  });

  it("never gives a larger heap less room beside it", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1 << 24 }),
        fc.integer({ min: 1, max: 1 << 20 }),
        fc.boolean(),
        (heap, more, python) => {
          expect(overheadMib(heap + more, python)).toBeGreaterThanOrEqual(overheadMib(heap, python));
        },
      ),
    );
  });

  it("is shown as a sum that adds up", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1 << 24 }),
        fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined }),
        (heapMib, offHeapMib) => {
          const lines = memoryLines(jvmParts("executor", { heapMib, offHeapMib, python: true }));
          const numbers = lines.map((line) => Number(/(\d+) MiB/.exec(line)?.[1]));
          const total = numbers.pop();
          expect(numbers.reduce((sum, number) => sum + number, 0)).toBe(total);
        },
      ),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eksAllocatable } from "../../../knowledge/aws/allocatable.ts";
import { smallestTypes } from "../../../knowledge/aws/fitting.ts";
import { INSTANCE_TYPES } from "../../../knowledge/aws/instances.ts";
import { maxPods } from "../../../knowledge/aws/pods.ts";

const names = (
  need: { cpu: number; memory: number; scratch: number },
  prefer: readonly string[] = [],
): string[] => smallestTypes(need, new Set(prefer)).map(({ type }) => type.name);

describe("types that would hold a pod", () => {
  it("are the smallest of their class, cheapest first, of both architectures", () => {
    expect(names({ cpu: 7000, memory: 50_000, scratch: 100_000 })).toEqual([
      "r8g.2xlarge",
      "r8i.2xlarge",
      "m8g.4xlarge",
    ]);
  });

  it("are of a family that is in use already, where it is no larger than another", () => {
    expect(names({ cpu: 7000, memory: 50_000, scratch: 100_000 }, ["r7i", "m7g"])).toEqual([
      "r8g.2xlarge",
      "r7i.2xlarge",
      "m7g.4xlarge",
    ]);
  });

  it("are of an older generation where that one's node is the smaller that fits", () => {
    // An m8i.4xlarge has more addresses, so that more memory is reserved on it for pods.
    expect(names({ cpu: 15_000, memory: 59_000, scratch: 1 })).toContain("m7i.4xlarge");
  });

  it("are none where no type is large enough", () => {
    expect(names({ cpu: 7000, memory: 40_000_000, scratch: 1 })).toEqual([]);
  });

  it("hold the pod, and no smaller type of their class and architecture does", () => {
    const need = fc.record({
      cpu: fc.integer({ min: 100, max: 180_000 }),
      memory: fc.integer({ min: 100, max: 1_400_000 }),
      scratch: fc.integer({ min: 1, max: 2_000_000 }),
    });
    fc.assert(
      fc.property(need, (wish) => {
        const found = smallestTypes(wish, new Set());
        expect(found.length).toBeGreaterThan(0);
        expect(found.length).toBeLessThanOrEqual(3);
        for (const { type, rootVolumeGib } of found) {
          const holds = (candidate: typeof type): boolean => {
            const node = eksAllocatable(candidate, {
              maxPods: maxPods(candidate, "prefixes-apart"),
              rootVolumeMib: rootVolumeGib * 1024,
              localDisks: "none",
            });
            return node.cpu >= wish.cpu && node.memory >= wish.memory && node.scratch >= wish.scratch;
          };
          expect(holds(type)).toBe(true);
          const smaller = INSTANCE_TYPES.filter(
            ({ family, architecture, vcpus }) =>
              /^[mcr]\d[iag]$/.test(family) &&
              family.startsWith(type.family.slice(0, 1)) &&
              architecture === type.architecture &&
              vcpus < type.vcpus,
          );
          expect(smaller.filter(holds)).toEqual([]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cpuReserved,
  eksAllocatable,
  memoryReserved,
  rootVolumeFor,
  vmOverhead,
} from "../../../knowledge/aws/allocatable.ts";
import { INSTANCE_TYPES, type InstanceType, instanceType } from "../../../knowledge/aws/instances.ts";
import { maxPods } from "../../../knowledge/aws/pods.ts";
import { containing } from "../../harness/expect.ts";
import { MEASURED_OVERHEAD, PUBLISHED_NODES, ROOT_FILE_SYSTEMS } from "./published-nodes.ts";

const known = (name: string): InstanceType => {
  const type = instanceType(name);
  if (type === undefined) throw new Error(`${name} is not known`);
  return type;
};
const anyType = fc.constantFrom(...INSTANCE_TYPES);
const options = (type: InstanceType) => ({
  maxPods: maxPods(type, "addresses"),
  rootVolumeMib: 100 * 1024,
  localDisks: "none" as const,
});
const GIB = 1024;

describe("what an EKS node offers to pods", () => {
  it.each(PUBLISHED_NODES)("is never more than a real $type offered", (node) => {
    const type = known(node.type);
    const ours = eksAllocatable(type, {
      maxPods: node.maxPods,
      rootVolumeMib: node.rootVolume * GIB,
      localDisks: "none",
    });
    expect(ours.cpu).toBe(node.cpu);
    expect(ours.pods).toBe(node.maxPods);
    expect(ours.memory).toBeLessThanOrEqual(node.memory / 1024);
    if (node.ephemeralStorage !== undefined) {
      const real = node.ephemeralStorage / 2 ** 20;
      expect(ours.scratch).toBeLessThanOrEqual(real);
      expect(ours.scratch).toBeGreaterThan(real - 100);
    }
  });

  it.each(PUBLISHED_NODES.filter(({ maxPods: pods }) => pods < 400))(
    "falls short of a real $type by less than 3 % of its memory",
    (node) => {
      const type = known(node.type);
      expect(eksAllocatable(type, options(type)).memory).toBeGreaterThan(
        node.memory / 1024 - 0.03 * type.memory,
      );
    },
  );

  it.each(PUBLISHED_NODES.filter(({ memoryCapacity }) => memoryCapacity !== undefined))(
    "differs from the capacity of a real $type by exactly the reserve and the eviction threshold",
    ({ type: name, maxPods: pods, memoryCapacity = 0, memory }) => {
      const kept = (memoryCapacity - memory) / 1024;
      expect(kept).toBe(memoryReserved(pods) + 100);
      const type = known(name);
      expect(type.memory - vmOverhead(type.memory) - eksAllocatable(type, options(type)).memory).toBe(kept);
    },
  );

  it("reserves memory for the interfaces' pods, even where the kubelet takes fewer (m5.4xlarge with maxPods 110, 2024)", () => {
    // Capacity 64333324Ki, allocatable 61334028Ki, 8 interfaces × 30 addresses (index id 11626762312, EKS 1.29).
    expect((64_333_324 - 61_334_028) / 1024).toBe(memoryReserved(234) + 100);
    const type = known("m6i.4xlarge");
    const at = (pods: number): number => eksAllocatable(type, { ...options(type), maxPods: pods }).memory;
    expect(at(110)).toBe(at(234));
    expect(at(300)).toBe(at(234) - 11 * 66);
  });

  it("assumes no less memory overhead than was measured on any type, and not much more", () => {
    for (const [name, bytes] of Object.entries(MEASURED_OVERHEAD)) {
      const { memory } = known(name);
      const measured = bytes / 2 ** 20;
      expect(vmOverhead(memory), name).toBeGreaterThanOrEqual(measured);
      expect(vmOverhead(memory), name).toBeLessThan(measured + 100 + 0.016 * memory);
    }
  });

  it.each([
    { vcpus: 1, millicores: 60 },
    { vcpus: 2, millicores: 70 },
    { vcpus: 4, millicores: 80 },
    { vcpus: 8, millicores: 90 },
    { vcpus: 48, millicores: 190 },
    { vcpus: 96, millicores: 310 },
    { vcpus: 192, millicores: 550 },
  ])("keeps $millicores millicores of $vcpus cores, as nodeadm does", ({ vcpus, millicores }) => {
    expect(cpuReserved(vcpus)).toBe(millicores);
  });

  it("is less than the type has, and more than nothing, for every type", () => {
    for (const type of INSTANCE_TYPES) {
      const { cpu, memory, scratch } = eksAllocatable(type, options(type));
      expect(cpu).toBeGreaterThan(0);
      expect(cpu).toBeLessThan(type.vcpus * 1000);
      expect(memory, type.name).toBeGreaterThan(0);
      expect(memory).toBeLessThan(type.memory);
      expect(scratch).toBeLessThan(90 * GIB);
    }
  });

  it("grows with the size within a family", () => {
    fc.assert(
      fc.property(anyType, anyType, (left, right) => {
        fc.pre(left.family === right.family && left.vcpus < right.vcpus);
        const [small, large] = [left, right].map((type) =>
          eksAllocatable(type, { ...options(type), maxPods: 110 }),
        );
        if (small === undefined || large === undefined) throw new Error("two types make two nodes");
        expect(small.cpu).toBeLessThan(large.cpu);
        expect(small.memory).toBeLessThan(large.memory);
      }),
      { numRuns: 300, maxSkipsPerRun: 1000 },
    );
  });

  it("shrinks with more pods and grows with the root volume", () => {
    fc.assert(
      fc.property(
        anyType,
        fc.integer({ min: 8, max: 1000 }),
        fc.integer({ min: 20, max: 4000 }),
        (type, pods, gib) => {
          const base = { maxPods: pods, rootVolumeMib: gib * GIB, localDisks: "none" as const };
          const node = eksAllocatable(type, base);
          expect(eksAllocatable(type, { ...base, maxPods: pods + 1 }).memory).toBeLessThanOrEqual(
            node.memory,
          );
          expect(eksAllocatable(type, { ...base, rootVolumeMib: (gib + 1) * GIB }).scratch).toBeGreaterThan(
            node.scratch,
          );
        },
      ),
    );
  });

  it("takes no more of a root volume than real file systems leave", () => {
    for (const { volume, capacity } of ROOT_FILE_SYSTEMS) {
      const real = (capacity / 1024) * 0.9 - 1024;
      const { scratch } = eksAllocatable(known("m7g.xlarge"), {
        maxPods: 58,
        rootVolumeMib: volume * GIB,
        localDisks: "none",
      });
      expect(scratch).toBeLessThanOrEqual(real);
      expect(scratch).toBeGreaterThan(real - 70);
    }
  });

  it("offers the local disks where they hold the pods, whatever the root volume", () => {
    const type = known("m7gd.4xlarge");
    const node = eksAllocatable(type, { maxPods: 110, rootVolumeMib: 20 * GIB, localDisks: "scratch" });
    // 950 GB are 884.8 GiB; a tenth and 1 GiB stay with the kubelet.
    expect(node.scratch / GIB).toBeGreaterThan(0.9 * 884 - 2);
    expect(node.scratch / GIB).toBeLessThan(0.9 * 884.8 - 1);
  });

  it("refuses local disks of a type that has none, with a type that may have some", () => {
    expect(() =>
      eksAllocatable(known("m7g.4xlarge"), { maxPods: 110, rootVolumeMib: 20 * GIB, localDisks: "scratch" }),
    ).toThrow(
      expect.objectContaining({
        code: "instance-type-without-local-disks",
        hint: containing("m7gd"),
      }),
    );
  });

  it("finds the smallest whole GiB of root volume for a wish of scratch", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4_000_000 }), (wish) => {
        const type = known("m7g.xlarge");
        const at = (rootVolumeMib: number): number =>
          eksAllocatable(type, { maxPods: 58, rootVolumeMib, localDisks: "none" }).scratch;
        const volume = rootVolumeFor(wish);
        expect(at(volume)).toBeGreaterThanOrEqual(wish);
        expect(at(volume - GIB)).toBeLessThanOrEqual(wish);
      }),
    );
  });
});

describe("pods of a node", () => {
  it.each([
    // eni-max-pods.txt of amazon-vpc-cni-k8s v1.23.2; with prefix delegation max-pods-calculator.sh.
    { name: "c7g.medium", plain: 8, prefixes: 98 },
    { name: "m6i.large", plain: 29, prefixes: 110 },
    { name: "m7g.4xlarge", plain: 234, prefixes: 110 },
    { name: "r6i.8xlarge", plain: 234, prefixes: 250 },
    { name: "c6in.32xlarge", plain: 394, prefixes: 250 },
    { name: "i4i.24xlarge", plain: 437, prefixes: 250 },
    { name: "m8a.4xlarge", plain: 314, prefixes: 110 },
    { name: "c8i.48xlarge", plain: 1514, prefixes: 250 },
  ])("are $plain on $name, $prefixes with prefix delegation", ({ name, plain, prefixes }) => {
    expect(maxPods(known(name), "addresses")).toBe(plain);
    expect(maxPods(known(name), "prefixes")).toBe(prefixes);
  });

  it("are those of one interface fewer where pods have subnets of their own", () => {
    // (2 − 1) × (4 − 1) × 16 + 2, where both interfaces would give 98.
    expect(maxPods(known("c7g.medium"), "prefixes-apart")).toBe(50);
    expect(maxPods(known("m7g.4xlarge"), "prefixes-apart")).toBe(110);
  });
});

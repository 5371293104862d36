import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nodesNeeded, type PodSize } from "../../../jobs/plan/fit.ts";
import { planRun } from "../../../jobs/plan/plan.ts";
import type { Allocatable } from "../../../schema/contract.ts";
import { environment, identity, wordcount } from "./sample.ts";

const place = (changes: Readonly<Record<string, unknown>>, run = identity.run, attempt = 1) => {
  const result = planRun(wordcount(changes), environment(), { run, attempt });
  if (!result.ok) throw new Error(result.refusal.message);
  return { ...result.plan.placed, notes: result.notes, plan: result.plan };
};

describe("placement", () => {
  it("takes the smallest nodes that fit", () => {
    expect(place({ workers: { count: 2, memory: "4Gi" } }).pool).toBe("general");
    expect(place({ workers: { count: 2, memory: "16Gi" } }).pool).toBe("memory");
  });

  it("takes larger nodes where the small pool has too few of them", () => {
    expect(place({ workers: { count: 24, memory: "8Gi" } }).pool).toBe("memory");
  });

  it("honours the wanted pool and zone", () => {
    expect(place({ placement: { pool: "memory", zone: "eu-west-1b" } })).toMatchObject({
      pool: "memory",
      zone: "eu-west-1b",
    });
  });

  it("keeps all pods in one zone, by node selector", () => {
    const { plan } = place({ placement: { zone: "eu-west-1b" } });
    const zone = { "topology.kubernetes.io/zone": "eu-west-1b" };
    expect(plan.coordinator.placement.nodeSelector).toMatchObject(zone);
    expect(plan.workers.placement.nodeSelector).toEqual({ "mayfly.dev/pool": "general", ...zone });
  });

  it("spreads runs over the zones and tries the next zone with the next attempt", () => {
    const zones = Array.from({ length: 50 }, (_, index) => place({}, `run-${index}`).zone);
    expect(new Set(zones)).toEqual(new Set(["eu-west-1a", "eu-west-1b"]));
    expect(place({}, "run-1", 2).zone).not.toBe(place({}, "run-1", 1).zone);
  });

  it("puts workers on spot capacity only where the job allows it, and the coordinator never", () => {
    expect(place({}).spot).toBe(false);
    const spot = place({ serviceLevel: { spot: "workers" } });
    expect(spot).toMatchObject({ pool: "general-spot", spot: true, coordinatorPool: "general" });
    expect(spot.plan.coordinator.placement.nodeSelector["mayfly.dev/pool"]).toBe("general");
    expect(spot.plan.workers.placement.tolerations).toEqual([
      { key: "mayfly.dev/spot", operator: "Exists", effect: "NoSchedule" },
    ]);
    expect(spot.plan.coordinator.placement.tolerations).toEqual([]);
  });

  it("falls back to on-demand capacity where no spot pool fits, and says so", () => {
    const result = place({ serviceLevel: { spot: "workers" }, workers: { count: 1, memory: "30Gi" } });
    expect(result).toMatchObject({ pool: "memory", spot: false });
    expect(result.notes.join()).toContain("on-demand");
  });
});

describe("the count of nodes", () => {
  const size = fc.record({
    cpu: fc.integer({ min: 1, max: 9 }),
    memory: fc.integer({ min: 1, max: 9 }),
    disk: fc.integer({ min: 1, max: 9 }),
  });
  const node = fc.record({
    cpu: fc.integer({ min: 1, max: 30 }),
    memory: fc.integer({ min: 1, max: 30 }),
    scratch: fc.integer({ min: 1, max: 30 }),
    pods: fc.integer({ min: 1, max: 6 }),
  });

  /** Puts pods one by one into the first node with room: with the coordinator first that is the best there is. */
  const pack = (offer: Allocatable, pods: readonly PodSize[]): number => {
    const nodes: PodSize[][] = [];
    const fits = (held: readonly PodSize[], pod: PodSize): boolean => {
      const all = [...held, pod];
      const sum = (pick: (size: PodSize) => number): number =>
        all.reduce((total, each) => total + pick(each), 0);
      return (
        all.length <= offer.pods &&
        sum((s) => s.cpu) <= offer.cpu &&
        sum((s) => s.memory) <= offer.memory &&
        sum((s) => s.disk) <= offer.scratch
      );
    };
    for (const pod of pods) {
      const room = nodes.find((held) => fits(held, pod));
      if (room === undefined) nodes.push([pod]);
      else room.push(pod);
    }
    return nodes.length;
  };

  it("is what packing the pods one by one gives", () => {
    fc.assert(
      fc.property(
        node,
        size,
        size,
        fc.integer({ min: 0, max: 40 }),
        (offer, worker, coordinator, workers) => {
          const fitsAlone = (pod: PodSize): boolean =>
            pod.cpu <= offer.cpu && pod.memory <= offer.memory && pod.disk <= offer.scratch;
          const counted = nodesNeeded(offer, worker, workers, coordinator);
          if (!fitsAlone(coordinator) || (workers > 0 && !fitsAlone(worker))) expect(counted).toBeUndefined();
          else expect(counted).toBe(pack(offer, [coordinator, ...Array<PodSize>(workers).fill(worker)]));
        },
      ),
    );
  });
});

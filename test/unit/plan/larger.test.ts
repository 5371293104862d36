import { describe, expect, it } from "vitest";
import { largerTypes } from "../../../jobs/plan/larger.ts";
import { planRun } from "../../../jobs/plan/plan.ts";
import { eksAllocatable } from "../../../knowledge/aws/allocatable.ts";
import { instanceType } from "../../../knowledge/aws/instances.ts";
import type { EnvironmentContract } from "../../../schema/contract.ts";
import { environment, identity, wordcount } from "./sample.ts";

const refusal = (
  changes: Readonly<Record<string, unknown>>,
  contract: EnvironmentContract = environment(),
) => {
  const result = planRun(wordcount(changes), contract, identity);
  if (result.ok) throw new Error("the job fits");
  return result.refusal;
};

const namesIn = (hint: string): string[] =>
  [...hint.matchAll(/\w+\.\d*x?large|\w+\.medium/g)].map(([name]) => name);

describe("a job larger than every pool's nodes", () => {
  it("is told which instance types would hold it, in families that are in use where they are no larger", () => {
    const { code, hint } = refusal({ workers: { count: 1, memory: "150Gi" } });
    expect(code).toBe("does-not-fit-node");
    expect(hint).toContain("or for a pool with larger nodes. It would fit a node of ");
    expect(namesIn(hint)).toContain("r7i.8xlarge");
    expect(hint).toMatch(/\(arm64\)/);
    expect(hint).not.toContain("root volume");
  });

  it("is told of at most three, each of which leaves room for the pod beside the platform's daemons", () => {
    const pod = { cpu: 8000, memory: 200_000, disk: 50_000 };
    const { pools } = environment();
    const names = namesIn(largerTypes(pod, pools));
    expect(names.length).toBeGreaterThan(0);
    expect(names.length).toBeLessThanOrEqual(3);
    for (const name of names) {
      const type = instanceType(name);
      if (type === undefined) throw new Error(`${name} is not known`);
      const node = eksAllocatable(type, { maxPods: 110, rootVolumeMib: 200_000, localDisks: "none" });
      expect(node.cpu).toBeGreaterThanOrEqual(pod.cpu);
      expect(node.memory).toBeGreaterThanOrEqual(pod.memory);
    }
  });

  it("is told the root volume where no pool's disk is large enough", () => {
    const { hint } = refusal({ scratch: { kind: "emptyDir", size: "400Gi" } });
    const [, gib] = /with at least (\d+) GiB of root volume\.$/.exec(hint) ?? [];
    expect(Number(gib)).toBeGreaterThan(440);
    expect(Number(gib)).toBeLessThan(460);
  });

  it("counts what the daemons take on the pools there are", () => {
    const [large] = environment().pools;
    if (large === undefined) throw new Error("the sample has pools");
    const busy = { ...large, allocatable: { ...large.allocatable, cpu: large.allocatable.cpu - 8000 } };
    const pod = { cpu: 15_500, memory: 10_000, disk: 1000 };
    const cores = (pools: EnvironmentContract["pools"]): number =>
      Math.min(...namesIn(largerTypes(pod, pools)).map((name) => instanceType(name)?.vcpus ?? 0));
    expect(cores([large])).toBe(16);
    expect(cores([busy])).toBe(32);
  });

  it("is told about the driver's pod where that is the one too large", () => {
    const { path, hint } = refusal({ driver: { memory: "150Gi" } });
    expect(path).toBe("driver");
    expect(namesIn(hint)).toContain("r7i.8xlarge");
  });

  it("is told nothing of the kind where the nodes are no EC2 instances", () => {
    const contract = environment();
    const pools = contract.pools.map((pool) => ({ ...pool, instanceType: "lab" }));
    const { hint } = refusal({ workers: { count: 1, memory: "150Gi" } }, { ...contract, pools });
    expect(hint).toMatch(/pool with larger nodes\.$/);
    expect(largerTypes({ cpu: 1, memory: 1, disk: 1 }, pools)).toBe("");
  });

  it("is told nothing of the kind where no type is large enough", () => {
    expect(largerTypes({ cpu: 1000, memory: 40_000_000, disk: 1 }, environment().pools)).toBe("");
  });
});

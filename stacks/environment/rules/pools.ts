import { suggest } from "../../../base/nearest.ts";
import { instanceType, suggestInstanceTypes } from "../../../knowledge/aws/index.ts";
import type { EksEnvironment, EnvironmentConfig } from "../../../schema/environment/index.ts";
import type { Problem } from "./problem.ts";

/** What holds for pools of every kind of cluster. */
export function poolProblems({ pools }: EnvironmentConfig): Problem[] {
  const problems: Problem[] = [];
  for (const [index, { name, nodesPerZone, zones }] of pools.entries()) {
    const first = pools.findIndex((pool) => pool.name === name);
    if (first < index) {
      problems.push({
        path: `pools[${index}].name`,
        message: `a pool of this name, "${name}", is there already: pools[${first}]`,
      });
    }
    if (nodesPerZone.max < nodesPerZone.min) {
      problems.push({
        path: `pools[${index}].nodesPerZone.max`,
        message: `${nodesPerZone.max} is below min, ${nodesPerZone.min}`,
      });
    }
    problems.push(
      ...(zones ?? []).flatMap((zone, at, all) =>
        all.indexOf(zone) < at
          ? [{ path: `pools[${index}].zones[${at}]`, message: `zone ${zone} is there already` }]
          : [],
      ),
    );
  }
  if (pools.every(({ state }) => state === "draining")) {
    problems.push({ path: "pools", message: "at least one pool must be active, or no run finds a node" });
  }
  return problems;
}

/** What holds for pools that an EKS environment makes. */
export function eksPoolProblems({ cluster, pools }: EksEnvironment): Problem[] {
  const { systemPool } = cluster;
  const problems = typeProblems([systemPool.instanceType], "cluster.systemPool.instanceType");
  if (systemPool.nodesPerZone.max < systemPool.nodesPerZone.min) {
    problems.push({
      path: "cluster.systemPool.nodesPerZone.max",
      message: `${systemPool.nodesPerZone.max} is below min, ${systemPool.nodesPerZone.min}`,
    });
  }
  if (systemPool.nodesPerZone.min === 0) {
    problems.push({
      path: "cluster.systemPool.nodesPerZone.min",
      message: "must be at least 1: the autoscaler itself runs there, and nobody would wake it",
    });
  }
  for (const [index, pool] of pools.entries()) {
    for (const [at, zone] of (pool.zones ?? []).entries()) {
      if (cluster.zones.includes(zone)) continue;
      problems.push({
        path: `pools[${index}].zones[${at}]`,
        message: `"${zone}" is not one of cluster.zones. ${suggest(zone, cluster.zones)}`,
      });
    }
    const types = typeProblems(pool.instanceTypes, `pools[${index}].instanceTypes`);
    problems.push(...types, ...(types.length === 0 ? shapeProblems(pool, index) : []));
  }
  return problems;
}

/** @param path Of the list, or of the one type. */
function typeProblems(names: readonly string[], path: string): Problem[] {
  return names.flatMap((name, index) =>
    instanceType(name) === undefined
      ? [
          {
            path: path.endsWith("s") ? `${path}[${index}]` : path,
            message: `there is no instance type "${name}" in Mayfly's table. ${suggestInstanceTypes(name)}`,
          },
        ]
      : [],
  );
}

/** A plan counts on what a node of the pool offers: its types have to offer the same. */
function shapeProblems(
  { instanceTypes, localDisks }: EksEnvironment["pools"][number],
  index: number,
): Problem[] {
  const problems: Problem[] = [];
  const [first, ...others] = instanceTypes.flatMap((name) => instanceType(name) ?? []);
  if (first === undefined) return problems;
  for (const [at, type] of others.entries()) {
    const path = `pools[${index}].instanceTypes[${at + 1}]`;
    if (type.vcpus !== first.vcpus || type.memory !== first.memory) {
      problems.push({
        path,
        message:
          `${type.name} has ${type.vcpus} vCPUs and ${type.memory} MiB, ${first.name} ${first.vcpus} and ${first.memory}: ` +
          "types of one pool have one shape; make it a pool of its own",
      });
    }
    if (type.architecture !== first.architecture) {
      problems.push({
        path,
        message: `${type.name} is ${type.architecture}, ${first.name} ${first.architecture}: images of one pool have one architecture`,
      });
    }
  }
  const without = [first, ...others].find(({ localDisks: disks }) => disks === undefined);
  if (localDisks === "scratch" && without !== undefined) {
    problems.push({
      path: `pools[${index}].localDisks`,
      message: `${without.name} has no local disks; use unused, or a type that has some, such as those with d in their name`,
    });
  }
  return problems;
}

import { listNames, suggest } from "../../base/nearest.ts";
import type { EnvironmentContract, Pool, Tenant } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import { refuse } from "./refusal.ts";

/** The tenant of a job; refuses one that the environment does not know. */
export function findTenant(spec: JobSpec, contract: EnvironmentContract): Tenant {
  const tenant = contract.tenants.find(({ id }) => id === spec.tenant);
  return (
    tenant ??
    refuse({
      code: "unknown-tenant",
      message: `Environment "${contract.name}" has no tenant "${spec.tenant}".`,
      path: "tenant",
      hint: suggest(
        spec.tenant,
        contract.tenants.map(({ id }) => id),
      ),
    })
  );
}

/** The pool that a job names; undefined where it names none. */
export function findPool(spec: JobSpec, contract: EnvironmentContract): Pool | undefined {
  const name = spec.placement.pool;
  if (name === undefined) return undefined;
  return (
    contract.pools.find((pool) => pool.name === name) ??
    refuse({
      code: "unknown-pool",
      message: `Environment "${contract.name}" has no pool "${name}".`,
      path: "placement.pool",
      hint: suggest(
        name,
        contract.pools.map((pool) => pool.name),
      ),
    })
  );
}

/** Refuses a zone that no pool has. */
export function checkZone(spec: JobSpec, contract: EnvironmentContract): void {
  const zone = spec.placement.zone;
  const zones = [...new Set(contract.pools.flatMap((pool) => pool.zones))];
  if (zone === undefined || zones.includes(zone)) return;
  refuse({
    code: "unknown-zone",
    message: `Environment "${contract.name}" has no nodes in zone "${zone}".`,
    path: "placement.zone",
    hint: suggest(zone, zones),
  });
}

/** Refuses a storage class that the environment does not offer. */
export function checkStorageClass(spec: JobSpec, contract: EnvironmentContract): void {
  if (spec.scratch.kind !== "storageClass") return;
  const name = spec.scratch.storageClass;
  if (contract.storageClasses.includes(name)) return;
  refuse({
    code: "unknown-storage-class",
    message: `Environment "${contract.name}" does not offer the storage class "${name}".`,
    path: "scratch.storageClass",
    hint: suggest(name, contract.storageClasses),
  });
}

const numbers = (version: string): number[] => version.split(".").map(Number);

/** Orders versions by their numbers, newest first. */
function newestFirst(left: string, right: string): number {
  const [a, b] = [numbers(left), numbers(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (b[index] ?? 0) - (a[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** An image of the engine in the wanted version. */
export type EngineImage = EnvironmentContract["images"][number];

/** The image for `4.0.1`, or the newest of the line for `4.0`; refuses what the environment does not have. */
export function findImage(spec: JobSpec, contract: EnvironmentContract): EngineImage {
  const offered = contract.images
    .filter(({ engine }) => engine === spec.engine)
    .sort((left, right) => newestFirst(left.version, right.version));
  const image = offered.find(
    ({ version }) => version === spec.version || version.startsWith(`${spec.version}.`),
  );
  return (
    image ??
    refuse({
      code: "unknown-version",
      message: `Environment "${contract.name}" has no ${spec.engine} ${spec.version}.`,
      path: "version",
      hint:
        offered.length === 0
          ? `Ask the environment's owner for an image of ${spec.engine}.`
          : `It has ${listNames(offered.map(({ version }) => version))}.`,
    })
  );
}

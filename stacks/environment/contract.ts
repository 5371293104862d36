import type { EnvironmentContract } from "../../schema/contract.ts";
import type { EnvironmentConfig } from "../../schema/environment.ts";
import { parseCpu, parseDuration, parseMemory } from "../../schema/primitives.ts";
import { allocatableOf, type NodeAllocatable } from "./allocatable.ts";

/** What only the cluster knows. */
export interface ClusterFacts {
  /** UID of namespace kube-system. */
  readonly clusterId: string;
  /** `status.allocatable` of the nodes that pools name, by node name. */
  readonly nodes: ReadonlyMap<string, NodeAllocatable>;
  /** Namespaces of the tenants, by tenant id. */
  readonly namespaces: ReadonlyMap<string, string>;
}

/** The contract that an environment's config and its cluster amount to. Pure. */
export function contractOf(
  name: string,
  config: EnvironmentConfig,
  facts: ClusterFacts,
): EnvironmentContract {
  return {
    apiVersion: "mayfly.dev/environment/v1",
    name,
    clusterId: facts.clusterId,
    pools: config.pools.map(({ allocatable, nodeSelector, ...pool }, index) => ({
      ...pool,
      allocatable: allocatableOf(allocatable, facts.nodes, `mayfly:pools[${index}].allocatable`),
      nodeSelector: nodeSelector ?? { "mayfly.dev/pool": pool.name },
    })),
    storageClasses: config.storageClasses,
    tenants: config.tenants.map(({ quota, ...tenant }) => ({
      ...tenant,
      namespace: facts.namespaces.get(tenant.id) ?? unreachable(`namespace of ${tenant.id}`),
      quota: {
        cpu: checked(parseCpu(quota.cpu)),
        memory: checked(parseMemory(quota.memory)),
        scratch: checked(parseMemory(quota.scratch)),
        pods: quota.pods,
      },
    })),
    images: config.images,
    s3: config.s3,
    logs: config.logs,
    egress: config.egress,
    limits: {
      pendingDeadline: checked(parseDuration(config.limits.pendingDeadline)),
      imageDeadline: checked(parseDuration(config.limits.imageDeadline)),
      startDeadline: checked(parseDuration(config.limits.startDeadline)),
    },
  } satisfies EnvironmentContract;
}

/** A quantity that the schema has accepted already. */
export const checked = (value: number | undefined): number => value ?? unreachable("a checked quantity");

function unreachable(what: string): never {
  throw new Error(`${what} is missing`);
}

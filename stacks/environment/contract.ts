import { CONTRACT_VERSION, type EnvironmentContract } from "../../schema/contract.ts";
import { type EnvironmentConfig, isEks, type Platform } from "../../schema/environment/index.ts";
import { parseCpu, parseDuration, parseMemory } from "../../schema/quantity.ts";
import type { NodeAllocatable } from "./allocatable.ts";
import { apiServerOf, egressOf } from "./egress.ts";
import { poolsOf } from "./pools.ts";
import { checked } from "./quantities.ts";

/** What only the cluster and the cloud know. */
export interface EnvironmentFacts {
  /** UID of namespace kube-system. */
  readonly clusterId: string;
  /** `status.allocatable` of the nodes that pools name, by node name. */
  readonly nodes: ReadonlyMap<string, NodeAllocatable>;
  /** Namespaces of the tenants, by tenant id. */
  readonly namespaces: ReadonlyMap<string, string>;
  /** Storage classes that the platform made. */
  readonly storageClasses: readonly string[];
  /** Image repositories, by name. */
  readonly repositories: ReadonlyMap<string, string>;
  /** Roles for streams with high availability, where a tenant may have that. */
  readonly stateRoles: { readonly coordinator: string; readonly workers: string } | undefined;
  /** Admission policies that keep stale helpers off. */
  readonly fencePolicies: readonly string[];
}

/** The contract that an environment's config and its cluster amount to. Pure. */
export function contractOf(
  name: string,
  config: EnvironmentConfig,
  facts: EnvironmentFacts,
): EnvironmentContract {
  const pools = poolsOf(config, facts.nodes);
  const active = pools.map((pool) => pool.name);
  return {
    apiVersion: CONTRACT_VERSION,
    name,
    class: config.class,
    clusterId: facts.clusterId,
    zones: isEks(config) ? config.cluster.zones : [...new Set(pools.flatMap(({ zones }) => zones))].sort(),
    pools,
    storageClasses: [...new Set([...facts.storageClasses, ...config.storageClasses])].sort(),
    tenants: config.tenants.map(({ quota, pools: allowed, ...tenant }) => ({
      ...tenant,
      namespace: facts.namespaces.get(tenant.id) ?? unreachable(`namespace of ${tenant.id}`),
      pools: allowed?.filter((pool) => active.includes(pool)) ?? active,
      quota: {
        cpu: checked(parseCpu(quota.cpu)),
        memory: checked(parseMemory(quota.memory)),
        scratch: checked(parseMemory(quota.scratch)),
        pods: quota.pods,
      },
    })),
    images: config.images,
    s3: isEks(config) ? s3Of(config.cluster.region) : config.s3,
    buckets: config.buckets,
    repositories: [...facts.repositories].map(([repository, url]) => ({ name: repository, url })),
    ...highAvailability(config, facts.stateRoles),
    egress: egressOf(config),
    limits: {
      pendingDeadline: checked(parseDuration(config.limits.pendingDeadline)),
      imageDeadline: checked(parseDuration(config.limits.imageDeadline)),
      startDeadline: checked(parseDuration(config.limits.startDeadline)),
    },
    lacks: lacksOf(config.platform),
    fence: { policies: [...facts.fencePolicies] },
  } satisfies EnvironmentContract;
}

function highAvailability(
  config: EnvironmentConfig,
  roles: EnvironmentFacts["stateRoles"],
): Pick<EnvironmentContract, "highAvailability"> {
  const api = apiServerOf(config);
  return roles === undefined || api === undefined ? {} : { highAvailability: { roles, api } };
}

/** https://docs.aws.amazon.com/general/latest/gr/s3.html */
const s3Of = (region: string) => ({
  endpoint: `https://s3.${region}.amazonaws.com`,
  region,
  pathStyle: false,
});

/** The parts of the platform that the config leaves out, and why. */
export function lacksOf(platform: Platform): EnvironmentContract["lacks"] {
  return Object.entries(platform).flatMap(([part, choice]) =>
    choice.install ? [] : [{ part, because: choice.because }],
  );
}

function unreachable(what: string): never {
  throw new Error(`${what} is missing`);
}

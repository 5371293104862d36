import type { Provider } from "@pulumi/aws/provider.js";
import type * as pulumi from "@pulumi/pulumi";
import type { EksCluster } from "../../components/cluster/eks-cluster.ts";
import type { NodeAddons } from "../../components/cluster/node-addons.ts";
import type { Network } from "../../components/network/network.ts";
import type { Lifetime } from "../../components/nodes/autoscaler-tags.ts";
import type { Architecture } from "../../components/nodes/launch-template.ts";
import { NodePool } from "../../components/nodes/node-pool.ts";
import type { NodeRole } from "../../components/nodes/node-role.ts";
import { SystemPool } from "../../components/nodes/system-pool.ts";
import type { EksEnvironment, EksPool } from "../../schema/environment/index.ts";
import { parseDuration, parseMemory } from "../../schema/quantity.ts";
import type { Identity } from "./foundation.ts";
import { maxPodsOf, roomOf, typesOf } from "./pools.ts";
import { checked } from "./quantities.ts";

/** What {@link eksNodes} builds on. */
export interface NodesInput {
  readonly identity: Identity;
  readonly config: EksEnvironment;
  readonly cluster: EksCluster;
  readonly network: Network;
  readonly nodeRole: NodeRole;
  readonly keyArn: pulumi.Input<string>;
  /** Nodes without these never become ready. */
  readonly nodeAddons: NodeAddons;
  readonly provider: Provider;
}

/** What the autoscaler's flags say, in seconds; pools that say the same need no tags. */
export const DEFAULT_LIFETIME: Lifetime = { idle: 60, unready: 300 };

/** The system pool, and one pool for each of the config's. */
export function eksNodes(input: NodesInput): { readonly system: SystemPool } {
  const { config, cluster, network, nodeRole, provider } = input;
  const { systemPool, kubernetesVersion } = config.cluster;
  const common = {
    clusterName: cluster.clusterName,
    encryptionKeyArn: input.keyArn,
    nodeRoleArn: nodeRole.roleArn,
    tags: input.identity.labels,
    provider,
  };
  const after = { dependsOn: [input.nodeAddons] };

  const systemType = { instanceTypes: [systemPool.instanceType] };
  const system = new SystemPool(
    "system-pool",
    {
      ...common,
      version: kubernetesVersion,
      instanceType: systemPool.instanceType,
      architecture: architectureOf(systemType),
      maxPods: maxPodsOf(systemType),
      zones: network.zones,
      nodesPerZone: systemPool.nodesPerZone,
      rootVolume: gibibytes(systemPool.rootVolume),
    },
    after,
  );
  for (const pool of config.pools) {
    const zones = pool.zones ?? config.cluster.zones;
    new NodePool(
      `pool-${pool.name}`,
      {
        ...common,
        pool: pool.name,
        version: pool.kubernetesVersion ?? kubernetesVersion,
        instanceTypes: pool.instanceTypes,
        architecture: architectureOf(pool),
        capacity: pool.capacity,
        zones: network.zones.filter(({ zone }) => zones.includes(zone)),
        nodesPerZone: pool.nodesPerZone,
        labels: pool.labels,
        taints: pool.taints,
        startupTaint: config.platform.startupTaint.install,
        allocatable: roomOf(pool),
        maxPods: maxPodsOf(pool),
        localDisks: pool.localDisks,
        rootVolume: gibibytes(pool.rootVolume),
        lifetime: lifetimeOf(pool),
        defaultLifetime: DEFAULT_LIFETIME,
      },
      after,
    );
  }
  return { system };
}

const architectureOf = (pool: Pick<EksPool, "instanceTypes">): Architecture =>
  typesOf(pool)[0]?.architecture === "arm64" ? "arm64" : "amd64";

/** EBS volumes have whole GiB. */
const gibibytes = (quantity: string): number => Math.ceil(checked(parseMemory(quantity)) / 1024);

const lifetimeOf = ({ lifetime }: EksPool): Lifetime => ({
  idle: checked(parseDuration(lifetime.idle)),
  unready: checked(parseDuration(lifetime.unready)),
});

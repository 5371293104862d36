import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ExistingPool } from "../../components/nodes/existing-pool.ts";
import type { ExistingEnvironment } from "../../schema/environment/index.ts";
import { refuseOtherCluster } from "./cluster-identity.ts";
import type { Foundation, Identity, WorkerGround } from "./foundation.ts";

/**
 * An environment on a cluster that is there: pools are labels on its nodes.
 * @throws UserError `other-cluster`.
 */
export async function existingFoundation(
  { name }: Identity,
  config: ExistingEnvironment,
): Promise<Foundation> {
  const { cluster, pools } = config;
  const worker = groundOf(config);
  const how: kubernetes.ProviderArgs = {
    clusterIdentifier: name,
    upsertExistingObjects: false,
    // Empty means KUBECONFIG of whoever runs Pulumi, each time. Left out, the SDK would put that variable's value into the state: another
    // machine's path, or after a refused update the wrong one.
    kubeconfig: cluster.kubeconfig ?? "",
    ...(cluster.context === undefined ? {} : { context: cluster.context }),
  };
  const clusterId = await refuseOtherCluster(how);
  const provider = new kubernetes.Provider("kubernetes", how);

  for (const pool of pools) {
    if (pool.nodes.length > 0) {
      new ExistingPool(`pool-${pool.name}`, { pool: pool.name, nodes: pool.nodes, provider });
    }
  }

  // Read, not managed: what is on the cluster before us. Names apart from ours, since a read resource has a URN too.
  const sampleNodes = new Set(
    pools.flatMap(({ allocatable }) => (allocatable.from === "node" ? [allocatable.node] : [])),
  );
  const nodes = [...sampleNodes].map((node) =>
    kubernetes.core.v1.Node.get(`existing-${node}`, node, { provider }).status.apply(
      (status) => [node, status.allocatable] as const,
    ),
  );
  return {
    provider,
    clusterId,
    nodes: pulumi.all(nodes),
    storageClasses: [],
    repositories: [],
    ...(worker === undefined ? {} : { worker }),
  };
}

/** A worker goes wherever there is room: the cluster is not ours to divide. */
const groundOf = ({ worker: config, egress }: ExistingEnvironment): WorkerGround | undefined =>
  config === undefined
    ? undefined
    : {
        config,
        state: config.state,
        plugin: config.kubernetesPlugin,
        s3: { by: "secret", profile: config.profile },
        egress: [...egress, ...config.egress],
        placement: { nodeSelector: {}, tolerations: [] },
        after: [],
      };

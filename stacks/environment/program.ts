import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { TenantNamespace } from "../../components/tenants/namespace.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import type { EnvironmentConfig } from "../../schema/environment.ts";
import { insideApply } from "../door.ts";
import { contractOf } from "./contract.ts";

/** The environment's one output. */
export interface EnvironmentOutputs {
  readonly contract: pulumi.Output<EnvironmentContract>;
}

/** The program of an environment: its config in, resources and contract out. */
export function environmentProgram(name: string, config: EnvironmentConfig): EnvironmentOutputs {
  const provider = clusterProvider(name, config.cluster);
  const read = { provider };

  const tenants = config.tenants.map(({ id }) => {
    const { namespaceName } = new TenantNamespace(`tenant-${id}`, {
      tenant: id,
      labels: {
        "app.kubernetes.io/managed-by": "mayfly",
        "app.kubernetes.io/part-of": "mayfly",
        "mayfly.dev/environment": name,
        "mayfly.dev/tenant": id,
      },
      provider,
    });
    return namespaceName.apply((namespace) => [id, namespace] as const);
  });

  // Read, not managed: what is on the cluster before us. Names apart from ours, since a read resource has a URN too.
  const system = kubernetes.core.v1.Namespace.get("existing-kube-system", "kube-system", read);
  const sampleNodes = new Set(
    config.pools.flatMap(({ allocatable }) => (allocatable.from === "node" ? [allocatable.node] : [])),
  );
  const nodes = [...sampleNodes].map((node) =>
    kubernetes.core.v1.Node.get(`existing-${node}`, node, read).status.apply(
      (status) => [node, status.allocatable] as const,
    ),
  );

  const contract = pulumi
    .all([system.metadata.uid, pulumi.all(nodes), pulumi.all(tenants)])
    .apply(([clusterId, allocatable, namespaces]) =>
      insideApply(() =>
        contractOf(name, config, { clusterId, nodes: new Map(allocatable), namespaces: new Map(namespaces) }),
      ),
    );
  return { contract };
}

/** The provider for the cluster. A kind of cluster that has to be made first gets its provider here, from what it made. */
function clusterProvider(name: string, cluster: EnvironmentConfig["cluster"]): kubernetes.Provider {
  return new kubernetes.Provider("kubernetes", {
    // The kubeconfig is ambient (KUBECONFIG); its path may differ from machine to machine.
    clusterIdentifier: name,
    upsertExistingObjects: false,
    ...(cluster.context === undefined ? {} : { context: cluster.context }),
  });
}

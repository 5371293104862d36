import { Provider } from "@pulumi/aws/provider.js";
import { Provider as EksProvider } from "@pulumi/eks/provider.js";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { LogBucket } from "../../components/buckets/log-bucket.ts";
import { StateBucket } from "../../components/buckets/state-bucket.ts";
import { EksCluster } from "../../components/cluster/eks-cluster.ts";
import { EncryptionKey } from "../../components/cluster/key.ts";
import { NodeAddons } from "../../components/cluster/node-addons.ts";
import { SystemAddons } from "../../components/cluster/system-addons.ts";
import { Network } from "../../components/network/network.ts";
import { planSubnets } from "../../components/network/subnets.ts";
import { NodeRole } from "../../components/nodes/node-role.ts";
import { ImageRepositories } from "../../components/registry/image-repositories.ts";
import { versionsFor } from "../../knowledge/versions.ts";
import type { EksEnvironment } from "../../schema/environment/index.ts";
import { eksNodes } from "./eks-nodes.ts";
import { eksPlatform } from "./eks-platform.ts";
import { eksWorker } from "./eks-worker.ts";
import type { Foundation, Identity } from "./foundation.ts";

/** How long logs and reports of runs are kept. */
const LOG_DAYS = 365;

/** An environment that makes its own cluster: network, control plane, nodes, and what the platform needs on them. */
export function eksFoundation(identity: Identity, config: EksEnvironment): Foundation {
  const { cluster: wanted, protect, buckets } = config;
  const { region, zones, network: ranges } = wanted;
  const clusterName = `mayfly-${identity.name}`;
  const versions = { ...versionsFor(wanted.kubernetesVersion), ...stated(config.versions) };
  const provider = new Provider("aws", { region, defaultTags: { tags: { ...identity.labels } } });

  // 1. The network.
  const subnets = planSubnets({ ...ranges, zones });
  if (!subnets.ok) throw new Error(`the config's rules let ${subnets.problem.message} through`);
  const network = new Network("network", { region, ...ranges, subnets: subnets.zones, protect, provider });

  // 2. What is stored: its key, Pulumi's state, logs, images.
  const keyArn = keyOf(identity, config, network, provider);
  const state = new StateBucket("state", {
    bucketName: buckets.state,
    encryptionKeyArn: keyArn,
    refusedRoleArns: tenantRoles(config),
    protect,
    provider,
  });
  const logs = new LogBucket("logs", { bucketName: buckets.logs, expiryDays: LOG_DAYS, protect, provider });
  const images = new ImageRepositories("images", {
    names: config.repositories,
    encryptionKeyArn: keyArn,
    protect,
    provider,
  });

  // 3. The control plane, and what nodes need to become ready.
  const cluster = new EksCluster("cluster", {
    clusterName,
    region,
    version: wanted.kubernetesVersion,
    vpcId: network.vpcId,
    subnetIds: network.nodeSubnetIds,
    endpoint: wanted.endpoint,
    encryptionKeyArn: keyArn,
    logTypes: wanted.controlPlaneLogs,
    access: wanted.access,
    protect,
    provider,
    eksProvider: new EksProvider("eks"),
  });
  const nodeAddons = new NodeAddons("node-addons", {
    clusterName: cluster.clusterName,
    region,
    versions,
    podSubnets: network.zones,
    clusterSecurityGroupId: cluster.clusterSecurityGroupId,
    provider,
  });

  // 4. Nodes.
  const nodeRole = new NodeRole("node-role", { region, provider });
  const nodes = eksNodes({ identity, config, cluster, network, nodeRole, keyArn, nodeAddons, provider });
  const systemAddons = new SystemAddons(
    "system-addons",
    {
      clusterName: cluster.clusterName,
      region,
      versions,
      systemNodes: nodes.system.nodeSelector,
      dnsReplicas: zones.length,
      encryptionKeyArn: keyArn,
      provider,
    },
    { dependsOn: [nodes.system] },
  );

  // 5. The platform on them.
  const onCluster = new kubernetes.Provider("kubernetes", {
    kubeconfig: cluster.kubeconfig,
    clusterIdentifier: clusterName,
    upsertExistingObjects: false,
  });
  const storageClasses = eksPlatform({
    identity,
    config,
    clusterName,
    versions,
    keyArn,
    systemNodes: nodes.system.nodeSelector,
    after: [nodes.system, systemAddons],
    provider: onCluster,
    aws: provider,
  });

  // Known only once somebody may read it: the access entries come with the cluster.
  const system = kubernetes.core.v1.Namespace.get("existing-kube-system", "kube-system", {
    provider: onCluster,
  });
  const worker = eksWorker({
    config,
    cluster,
    buckets: { state: state.arn, logs: logs.arn, key: keyArn },
    systemNodes: nodes.system.nodeSelector,
    after: [nodes.system, systemAddons],
    aws: provider,
  });
  return {
    provider: onCluster,
    clusterId: system.metadata.uid,
    nodes: [],
    storageClasses,
    repositories: pulumi.all(
      images.repositories.map(({ name, url }) => url.apply((known) => [name, known] as const)),
    ),
    ...(worker === undefined ? {} : { worker }),
  };
}

function keyOf(
  { name }: Identity,
  { cluster, protect }: EksEnvironment,
  network: Network,
  provider: Provider,
): pulumi.Input<string> {
  const { encryption, region } = cluster;
  switch (encryption.key) {
    case "created":
      return new EncryptionKey("key", {
        alias: `mayfly-${name}`,
        region,
        accountId: network.accountId,
        protect,
        provider,
      }).keyArn;
    case "existing":
      return encryption.keyArn;
  }
}

/** Roles that customers' code has. */
const tenantRoles = ({ tenants }: EksEnvironment): string[] =>
  tenants.flatMap(({ s3Identity }) => (s3Identity.kind === "web-identity" ? [s3Identity.roleArn] : []));

/** Without the members that are not set, which would hide those of the table. */
const stated = (versions: EksEnvironment["versions"]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(versions).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );

import type { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import type * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Labels } from "../../components/core/labels.ts";
import { Calico } from "../../components/platform/calico.ts";
import { ClusterAutoscaler } from "../../components/platform/cluster-autoscaler.ts";
import type { Placement } from "../../components/platform/placement.ts";
import { StartupTaint } from "../../components/platform/startup-taint.ts";
import { StorageClasses } from "../../components/platform/storage-classes.ts";
import type { PlatformVersions } from "../../knowledge/versions.ts";
import type { EksEnvironment } from "../../schema/environment/index.ts";
import { DEFAULT_LIFETIME } from "./eks-nodes.ts";
import type { Identity } from "./foundation.ts";

/** What {@link eksPlatform} builds on. */
export interface PlatformInput {
  readonly identity: Identity;
  readonly config: EksEnvironment;
  readonly clusterName: string;
  readonly versions: PlatformVersions;
  readonly keyArn: pulumi.Input<string>;
  /** Labels of the system pool's nodes. */
  readonly systemNodes: Labels;
  /** Nodes to run on, names and volumes. */
  readonly after: pulumi.Resource[];
  readonly provider: kubernetes.Provider;
  readonly aws: AwsProvider;
}

/** The parts of the platform that the config wants. Returns the storage classes that jobs may use for scratch. */
export function eksPlatform(input: PlatformInput): pulumi.Input<string[]> {
  const { identity, config, clusterName, versions, provider, keyArn } = input;
  const { platform, cluster } = config;
  const { labels } = identity;
  const after = { dependsOn: input.after };
  // The system pool has no taints.
  const placement: Placement = { nodeSelector: input.systemNodes, tolerations: [] };

  if (platform.calico.install) {
    const calico = new Calico("calico", { version: versions.calico, placement, labels, provider }, after);
    if (platform.startupTaint.install) {
      const { kubectl, pause } = platform.startupTaint;
      new StartupTaint(
        "startup-taint",
        { images: { kubectl, pause }, labels, provider },
        { dependsOn: [calico] },
      );
    }
  }
  if (platform.clusterAutoscaler.install) {
    new ClusterAutoscaler(
      "cluster-autoscaler",
      {
        clusterName,
        region: cluster.region,
        chartVersion: versions.clusterAutoscalerChart,
        version: versions.clusterAutoscaler,
        preferences: preferencesOf(config),
        timing: { unneeded: `${DEFAULT_LIFETIME.idle}s`, unready: `${DEFAULT_LIFETIME.unready}s` },
        placement,
        labels,
        provider,
        aws: input.aws,
      },
      after,
    );
  }
  if (!platform.storage.install) return [];
  return new StorageClasses("storage", { keyArn, labels, provider }, after).forScratch;
}

/**
 * Spot before on-demand: a pod that could go to either pool is one that may be interrupted. Names of auto-scaling groups begin with
 * `eks-` and the node group's name, which begins with its pool's.
 */
const preferencesOf = ({ pools }: EksEnvironment): string[][] => [
  pools.filter(({ capacity }) => capacity === "spot").map(({ name }) => `^eks-pool-${name}-[a-z]{2}-.*`),
];

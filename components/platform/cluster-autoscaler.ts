import * as eks from "@pulumi/aws/eks/index.js";
import type { Provider as AwsProvider } from "@pulumi/aws/provider.js";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { PodIdentityRole } from "../cluster/pod-identity.ts";
import { Component } from "../core/component.ts";
import { type Labels, labelled } from "../core/labels.ts";
import { type AutoscalerTiming, autoscalerFlags, priorities } from "./autoscaler-flags.ts";
import { scalingPolicy } from "./autoscaler-permissions.ts";
import { type Placement, placed } from "./placement.ts";

/** Arguments of a {@link ClusterAutoscaler}. */
export interface ClusterAutoscalerArgs {
  /** Name of the EKS cluster; node groups are found by its tag `k8s.io/cluster-autoscaler/<name>`. */
  readonly clusterName: pulumi.Input<string>;
  readonly region: string;
  /** Version of chart cluster-autoscaler, such as `9.52.1`. */
  readonly chartVersion: string;
  /** Tag of the image; its minor version is the cluster's: `v1.34.2`, or with its digest `v1.34.2@sha256:…`. */
  readonly version: string;
  /** @default registry.k8s.io/autoscaling/cluster-autoscaler */
  readonly repository?: string;
  /**
   * Regular expressions on names of auto-scaling groups, the most wanted first. A group that no expression matches comes last; among
   * equals the one is taken that leaves the least unused.
   */
  readonly preferences: readonly (readonly string[])[];
  /** How fast nodes come and go, where it differs from {@link FAST}. Pools have their own by tags of their groups. */
  readonly timing?: Partial<AutoscalerTiming>;
  /** The system pool. */
  readonly placement: Placement;
  readonly labels: Labels;
  readonly provider: kubernetes.Provider;
  /** Makes the role; its default tags are the environment's. */
  readonly aws: AwsProvider;
}

const NAMESPACE = "kube-system";
const NAME = "cluster-autoscaler";

/**
 * Cluster Autoscaler by its chart: scales the pools' node groups from zero and back. Its rights in AWS come by EKS Pod Identity and
 * end at the groups that carry this cluster's tag.
 */
export class ClusterAutoscaler extends Component {
  /** ARN of the role that it has in AWS. */
  readonly roleArn: pulumi.Output<string>;

  constructor(name: string, args: ClusterAutoscalerArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "platform:ClusterAutoscaler",
      name,
      { clusterName: args.clusterName, version: args.version, chartVersion: args.chartVersion },
      pulumi.mergeOptions(options, { providers: [args.provider, args.aws] }),
    );
    const identity = this.#identity(args);
    this.roleArn = identity.roleArn;
    const release = this.#release(args, identity);
    this.seal({ roleArn: this.roleArn, release: release.name });
  }

  #identity(args: ClusterAutoscalerArgs): eks.PodIdentityAssociation {
    const role = new PodIdentityRole(
      this.childName("role"),
      {
        clusterName: args.clusterName,
        namespace: NAMESPACE,
        serviceAccount: NAME,
        managedPolicyArns: [],
        policy: pulumi.output(args.clusterName).apply((cluster) => JSON.stringify(scalingPolicy(cluster))),
      },
      this.componentOptions(),
    );
    return new eks.PodIdentityAssociation(
      this.childName("identity"),
      {
        clusterName: args.clusterName,
        namespace: NAMESPACE,
        serviceAccount: NAME,
        roleArn: role.roleArn,
      },
      this.childOptions({ dependsOn: [role] }),
    );
  }

  /** A release and not a chart's objects, so that a preview needs no chart repository. */
  #release(args: ClusterAutoscalerArgs, identity: pulumi.Resource): kubernetes.helm.v3.Release {
    return new kubernetes.helm.v3.Release(
      this.childName("release"),
      {
        name: NAME,
        namespace: NAMESPACE,
        chart: "cluster-autoscaler",
        version: args.chartVersion,
        repositoryOpts: { repo: "https://kubernetes.github.io/autoscaler" },
        values: values(args),
      },
      // A pod gets its identity when it is made; one made before the association has none.
      this.childOptions({ dependsOn: [identity] }),
    );
  }
}

const IMAGE = "registry.k8s.io/autoscaling/cluster-autoscaler";

/** Values of the chart: https://github.com/kubernetes/autoscaler/blob/master/charts/cluster-autoscaler/values.yaml */
const values = (args: ClusterAutoscalerArgs) => ({
  fullnameOverride: NAME,
  additionalLabels: labelled(args.labels, "platform"),
  cloudProvider: "aws",
  awsRegion: args.region,
  autoDiscovery: { clusterName: args.clusterName },
  image: { repository: args.repository ?? IMAGE, tag: args.version },
  extraArgs: autoscalerFlags(args.timing),
  expanderPriorities: priorities(args.preferences),
  rbac: { serviceAccount: { name: NAME } },
  // One works and one stands by, so that a node of the system pool may go at any time.
  replicaCount: 2,
  podDisruptionBudget: { maxUnavailable: 1 },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "topology.kubernetes.io/zone",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: {
        matchLabels: {
          "app.kubernetes.io/instance": NAME,
          "app.kubernetes.io/name": "aws-cluster-autoscaler",
        },
      },
    },
  ],
  // It is what brings nodes: nothing that it needs may itself wait for a node or for cluster DNS.
  priorityClassName: "system-cluster-critical",
  dnsPolicy: "Default",
  ...placed(args.placement),
  resources: {
    requests: { cpu: "100m", memory: "600Mi", "ephemeral-storage": "64Mi" },
    limits: { cpu: "100m", memory: "600Mi", "ephemeral-storage": "64Mi" },
  },
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 65_534,
    runAsGroup: 65_534,
    seccompProfile: { type: "RuntimeDefault" },
  },
  containerSecurityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ["ALL"] },
  },
});

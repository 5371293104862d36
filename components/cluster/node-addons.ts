import * as eks from "@pulumi/aws/eks/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { managedPolicy } from "./managed-policies.ts";
import { PodIdentityRole } from "./pod-identity.ts";

/** Arguments of {@link NodeAddons}. */
export interface NodeAddonsArgs {
  readonly clusterName: pulumi.Input<string>;
  readonly region: string;
  /** Pinned versions: `v1.20.4-eksbuild.2`. */
  readonly versions: {
    readonly vpcCni: string;
    readonly kubeProxy: string;
    readonly podIdentityAgent: string;
  };
  /** Where pods of each zone get their addresses. */
  readonly podSubnets: readonly { readonly zone: string; readonly podSubnetId: pulumi.Input<string> }[];
  /** Group of the pods' network interfaces. */
  readonly clusterSecurityGroupId: pulumi.Input<string>;
  readonly provider: Provider;
}

/**
 * Managed add-ons that a node needs to become Ready: pod networking, service addresses, identities of pods. Node groups
 * depend on the whole component (`dependsOn`), since a node group without a CNI never gets well.
 */
export class NodeAddons extends Component {
  constructor(name: string, args: NodeAddonsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "cluster:NodeAddons",
      name,
      { versions: args.versions },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const { clusterName, region, versions } = args;
    const agent = new eks.Addon(
      this.childName("pod-identity-agent"),
      {
        clusterName,
        addonName: "eks-pod-identity-agent",
        addonVersion: versions.podIdentityAgent,
        ...CONFLICTS,
      },
      this.childOptions(),
    );
    // The rights to attach network interfaces belong to this one DaemonSet, and not to the node's role that all host
    // processes share: https://docs.aws.amazon.com/eks/latest/best-practices/identity-and-access-management.html
    const role = new PodIdentityRole(
      this.childName("vpc-cni-identity"),
      {
        clusterName,
        namespace: "kube-system",
        serviceAccount: "aws-node",
        managedPolicyArns: [managedPolicy(region, "AmazonEKS_CNI_Policy")],
      },
      this.componentOptions(),
    );
    const vpcCni = new eks.Addon(
      this.childName("vpc-cni"),
      {
        clusterName,
        addonName: "vpc-cni",
        addonVersion: versions.vpcCni,
        podIdentityAssociations: [{ roleArn: role.roleArn, serviceAccount: "aws-node" }],
        configurationValues: pulumi
          .all([args.clusterSecurityGroupId, pulumi.all(args.podSubnets.map((one) => one.podSubnetId))])
          .apply(([group, ids]) =>
            JSON.stringify(
              vpcCniValues(
                region,
                group,
                args.podSubnets.map(({ zone }, index) => ({ zone, id: ids[index] ?? "" })),
              ),
            ),
          ),
        ...CONFLICTS,
      },
      this.childOptions({ dependsOn: [agent, role] }),
    );
    new eks.Addon(
      this.childName("kube-proxy"),
      { clusterName, addonName: "kube-proxy", addonVersion: versions.kubeProxy, ...CONFLICTS },
      this.childOptions(),
    );
    this.seal({ vpcCni: vpcCni.addonVersion });
  }
}

/** What the config says wins over what somebody changed in the cluster by hand. */
export const CONFLICTS = {
  resolveConflictsOnCreate: "OVERWRITE",
  resolveConflictsOnUpdate: "OVERWRITE",
} as const;

/**
 * Settings of the VPC CNI: https://github.com/aws/amazon-vpc-cni-k8s/blob/master/README.md#cni-configuration-variables
 * The keys are those of `aws eks describe-addon-configuration --addon-name vpc-cni`, which takes environment variables as text.
 */
export const vpcCniValues = (
  region: string,
  securityGroupId: string,
  subnets: readonly { readonly zone: string; readonly id: string }[],
) => ({
  env: {
    // A /28 at once instead of address by address: more pods on a node, and fewer calls while a run's pods all start together.
    ENABLE_PREFIX_DELEGATION: "true",
    WARM_PREFIX_TARGET: "1",
    // Pods in subnets of their own: by zone, one ENIConfig with the zone's name.
    AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG: "true",
    ENI_CONFIG_LABEL_DEF: "topology.kubernetes.io/zone",
    // Calico sees a pod's address at once instead of after the kubelet's report:
    // https://docs.tigera.io/calico/latest/getting-started/kubernetes/managed-public-cloud/eks
    ANNOTATE_POD_IP: "true",
  },
  eniConfig: {
    create: true,
    region,
    subnets: Object.fromEntries(
      subnets.map(({ zone, id }) => [zone, { id, securityGroups: [securityGroupId] }]),
    ),
  },
  // Calico enforces policies; two enforcers would fight over the same pods.
  enableNetworkPolicy: "false",
});

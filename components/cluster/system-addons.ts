import * as eks from "@pulumi/aws/eks/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import type { Labels } from "../core/labels.ts";
import { managedPolicy } from "./managed-policies.ts";
import { CONFLICTS } from "./node-addons.ts";
import { PodIdentityRole } from "./pod-identity.ts";

/** Arguments of {@link SystemAddons}. */
export interface SystemAddonsArgs {
  readonly clusterName: pulumi.Input<string>;
  readonly region: string;
  /** Pinned versions: `v1.12.4-eksbuild.1`. */
  readonly versions: { readonly coreDns: string; readonly ebsCsi: string };
  /** Labels of the system pool's nodes: CoreDNS and the volume controller run there. */
  readonly systemNodes: Labels;
  /** Copies of CoreDNS: one for each zone at least. */
  readonly dnsReplicas: number;
  /** Key of the volumes. */
  readonly encryptionKeyArn: pulumi.Input<string>;
  readonly provider: Provider;
}

/**
 * Managed add-ons that run as pods on the system pool: names and volumes. Make it after that pool (`dependsOn`): EKS waits for
 * their pods, and calls an add-on without a node to run on degraded.
 */
export class SystemAddons extends Component {
  constructor(name: string, args: SystemAddonsArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "cluster:SystemAddons",
      name,
      { versions: args.versions },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const { clusterName, region, versions } = args;
    const coreDns = new eks.Addon(
      this.childName("coredns"),
      {
        clusterName,
        addonName: "coredns",
        addonVersion: versions.coreDns,
        configurationValues: JSON.stringify(coreDnsValues(args.systemNodes, args.dnsReplicas)),
        ...CONFLICTS,
      },
      this.childOptions(),
    );
    const role = new PodIdentityRole(
      this.childName("ebs-csi-identity"),
      {
        clusterName,
        namespace: "kube-system",
        serviceAccount: EBS_SERVICE_ACCOUNT,
        managedPolicyArns: [managedPolicy(region, "service-role/AmazonEBSCSIDriverPolicy")],
        policy: pulumi
          .output(args.encryptionKeyArn)
          .apply((keyArn) => JSON.stringify(volumeKeyPolicy(keyArn))),
      },
      this.componentOptions(),
    );
    new eks.Addon(
      this.childName("ebs-csi"),
      {
        clusterName,
        addonName: "aws-ebs-csi-driver",
        addonVersion: versions.ebsCsi,
        podIdentityAssociations: [{ roleArn: role.roleArn, serviceAccount: EBS_SERVICE_ACCOUNT }],
        configurationValues: JSON.stringify(ebsCsiValues(args.systemNodes)),
        ...CONFLICTS,
      },
      this.childOptions({ dependsOn: [role] }),
    );
    this.seal({ coreDns: coreDns.addonVersion });
  }
}

const EBS_SERVICE_ACCOUNT = "ebs-csi-controller-sa";

/** Keys as in `aws eks describe-addon-configuration --addon-name coredns`. */
export const coreDnsValues = (nodeSelector: Labels, replicaCount: number) => ({
  nodeSelector,
  replicaCount,
  podDisruptionBudget: { enabled: true, maxUnavailable: 1 },
  // A zone that is cut off keeps its own copy. ScheduleAnyway: a copy too many in one zone is better than one that doesn't run.
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: "topology.kubernetes.io/zone",
      whenUnsatisfiable: "ScheduleAnyway",
      labelSelector: { matchLabels: { "k8s-app": "kube-dns" } },
    },
  ],
});

/**
 * Keys as in `aws eks describe-addon-configuration --addon-name aws-ebs-csi-driver`. The node part
 * stays as it is: on every node, whatever its taints.
 */
export const ebsCsiValues = (nodeSelector: Labels) => ({
  controller: { nodeSelector },
});

/**
 * AmazonEBSCSIDriverPolicy holds no rights to keys:
 * https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md#set-up-driver-permissions
 */
const volumeKeyPolicy = (keyArn: string) => ({
  Version: "2012-10-17",
  Statement: [
    {
      Effect: "Allow",
      Action: ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
      Resource: [keyArn],
      Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
    },
    {
      Effect: "Allow",
      Action: ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
      Resource: [keyArn],
    },
  ],
});

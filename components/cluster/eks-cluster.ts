// The barrel and not the class alone: it tells the SDK how to bring an aws.eks.Cluster in the remote component's outputs to life.
import "@pulumi/aws/eks/index.js";
import type { Provider } from "@pulumi/aws/provider.js";
import { Cluster } from "@pulumi/eks/cluster.js";
import type { Provider as EksProvider } from "@pulumi/eks/provider.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { accessPolicy } from "./managed-policies.ts";

/** Who reaches the Kubernetes API. */
export type EndpointAccess =
  | { readonly access: "private" }
  | { readonly access: "public"; readonly allowedCidrs: readonly string[] };

/** One who may use the Kubernetes API. */
export interface Access {
  /** Part of resource names. */
  readonly name: string;
  readonly principalArn: string;
  readonly level: "admin" | "view";
}

/** Arguments of an {@link EksCluster}. */
export interface EksClusterArgs {
  /** Name in AWS; at most 100 letters, digits and dashes. */
  readonly clusterName: string;
  readonly region: string;
  /** Minor version of Kubernetes, such as `1.34`. */
  readonly version: string;
  readonly vpcId: pulumi.Input<string>;
  /** Node subnets, in two zones at least: the control plane puts network interfaces there. */
  readonly subnetIds: readonly pulumi.Input<string>[];
  readonly endpoint: EndpointAccess;
  /** Key of envelope encryption of Secrets. */
  readonly encryptionKeyArn: pulumi.Input<string>;
  /** Control-plane logs that go to CloudWatch. */
  readonly logTypes: readonly string[];
  readonly access: readonly Access[];
  /** Whether it refuses to be deleted, by Pulumi and by EKS itself. */
  readonly protect: boolean;
  /** For what the remote component makes. */
  readonly provider: Provider;
  /** For the remote component itself. */
  readonly eksProvider: EksProvider;
}

const POLICIES: Readonly<Record<Access["level"], string>> = {
  admin: "AmazonEKSClusterAdminPolicy",
  view: "AmazonEKSViewPolicy",
};

/**
 * The control plane. Wraps the one remote component that we use and gives nothing of it away but these outputs: a resource
 * whose parent is a remote component and whose provider comes from that component's outputs makes the engine wait for
 * itself. So children go under this component's siblings. See docs/components/eks-cluster.md.
 */
export class EksCluster extends Component {
  readonly clusterName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly version: pulumi.Output<string>;
  readonly endpoint: pulumi.Output<string>;
  /** Base64 of the PEM. */
  readonly certificateAuthority: pulumi.Output<string>;
  /** Gets its token from `aws eks get-token` at the time of use: it holds no secret and does not expire. */
  readonly kubeconfig: pulumi.Output<string>;
  /** The group that EKS puts on control plane and managed nodes; pods' network interfaces get it too. */
  readonly clusterSecurityGroupId: pulumi.Output<string>;
  readonly oidcProviderArn: pulumi.Output<string>;
  readonly oidcProviderUrl: pulumi.Output<string>;

  constructor(name: string, args: EksClusterArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "cluster:EksCluster",
      name,
      { clusterName: args.clusterName, version: args.version, endpoint: args.endpoint.access },
      pulumi.mergeOptions(options, { providers: [args.provider, args.eksProvider] }),
    );
    const cluster = new Cluster(
      this.childName("eks"),
      {
        name: args.clusterName,
        version: args.version,
        vpcId: args.vpcId,
        privateSubnetIds: [...args.subnetIds],
        ...endpointArgs(args.endpoint),
        encryptionConfigKeyArn: args.encryptionKeyArn,
        enabledClusterLogTypes: [...args.logTypes],
        authenticationMode: "API",
        accessEntries: accessEntries(args.region, args.access),
        createOidcProvider: true,
        deletionProtection: args.protect,
        // Costs more once the version's standard support ends, but never upgrades the control plane behind the reviewers'
        // backs, as STANDARD does: https://docs.aws.amazon.com/eks/latest/userguide/view-upgrade-policy.html
        upgradePolicy: { supportType: "EXTENDED" },
        // Nodes, groups and add-ons are components of ours: pinned, reviewed, one by one.
        skipDefaultNodeGroup: true,
        createInstanceRole: false,
        skipDefaultSecurityGroups: true,
        bootstrapSelfManagedAddons: false,
        useDefaultVpcCni: true,
        corednsAddonOptions: { enabled: false },
        kubeProxyAddonOptions: { enabled: false },
      },
      // By name: of its parent's providers the SDK hands a remote component only the one of its own package, and what it makes
      // in AWS would get a default provider without our region and tags.
      this.componentOptions({ protect: args.protect, providers: [args.provider] }),
    );
    const { eksCluster } = cluster;
    this.clusterName = eksCluster.name;
    this.arn = eksCluster.arn;
    this.version = eksCluster.version;
    this.endpoint = eksCluster.endpoint;
    this.certificateAuthority = eksCluster.certificateAuthority.data;
    this.clusterSecurityGroupId = eksCluster.vpcConfig.clusterSecurityGroupId;
    // Not the `kubeconfig` output, which is `any`, nor getKubeconfig, which is a call into the provider.
    this.kubeconfig = cluster.kubeconfigJson;
    this.oidcProviderArn = cluster.oidcProviderArn;
    this.oidcProviderUrl = cluster.oidcProviderUrl;
    this.seal({ name: this.clusterName, endpoint: this.endpoint });
  }
}

/** The private endpoint is always on: nodes use it, whoever else may come in from outside. */
const endpointArgs = (endpoint: EndpointAccess) =>
  endpoint.access === "private"
    ? { endpointPrivateAccess: true, endpointPublicAccess: false }
    : {
        endpointPrivateAccess: true,
        endpointPublicAccess: true,
        publicAccessCidrs: [...endpoint.allowedCidrs],
      };

const accessEntries = (region: string, access: readonly Access[]) =>
  Object.fromEntries(
    access.map(({ name, principalArn, level }) => [
      name,
      {
        principalArn,
        accessPolicies: {
          [level]: { policyArn: accessPolicy(region, POLICIES[level]), accessScope: { type: "cluster" } },
        },
      },
    ]),
  );

import { Provider } from "@pulumi/aws/provider.js";
import { type Graph, record } from "../../harness/record.ts";

const ACCOUNT = "123456789012";

/** What AWS would report, as far as our components read it. */
function reported({ type, name }: { readonly type: string; readonly name: string }): object {
  switch (type) {
    case "aws:ec2/vpc:Vpc":
      return { arn: `arn:aws:ec2:eu-central-1:${ACCOUNT}:vpc/${name}` };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { latestVersion: 3 };
    case "aws:eks/nodeGroup:NodeGroup":
      return { nodeGroupName: name, resources: [{ autoscalingGroups: [{ name: `eks-${name}` }] }] };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::${ACCOUNT}:role/${name}`, name };
    case "aws:kms/key:Key":
      return { arn: `arn:aws:kms:eu-central-1:${ACCOUNT}:key/${name}`, keyId: name };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${name}` };
    case "aws:ecr/repository:Repository":
      return { repositoryUrl: `${ACCOUNT}.dkr.ecr.eu-central-1.amazonaws.com/${name}` };
    case "eks:index:Cluster":
      return {
        kubeconfigJson: '{"kind":"Config"}',
        oidcProviderArn: "oidc-arn",
        oidcProviderUrl: "oidc-url",
        eksCluster: {
          name: "mayfly-prod",
          arn: "cluster-arn",
          version: "1.34",
          endpoint: "https://prod.eks.amazonaws.com",
          certificateAuthority: { data: "Q0E=" },
          vpcConfig: { clusterSecurityGroupId: "sg-cluster" },
        },
      };
    default:
      return {};
  }
}

/** Both ways in which a program runs; what it registers has to be the same. */
export const MODES = [
  ["preview", { preview: true }],
  ["update", { preview: false }],
] as const;

/** Records what `make` registers with the AWS provider that it is given, and returns with it. */
export const recordAws = async (
  make: (provider: Provider) => unknown,
  options: { readonly preview?: boolean } = {},
): Promise<Graph> =>
  await record(() => make(new Provider("aws", { region: "eu-central-1" })), {
    ...options,
    outputs: reported,
  });

/** Names of what refuses to be deleted, sorted. */
export const protectedNames = (graph: Graph): string[] =>
  graph.resources
    .filter(({ protect }) => protect)
    .map(({ name }) => name)
    .sort();

/** A member that holds a JSON document. */
export const json = (value: unknown): unknown => JSON.parse(String(value));

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { type Graph, type RecordOptions, record } from "./record.ts";

const Stack = z.object({ config: z.record(z.string(), z.unknown()) });

/** The config of a committed stack, by key with namespace: `mayfly:pools`. */
export const committedConfig = (stack: string): Readonly<Record<string, unknown>> =>
  Stack.parse(parse(readFileSync(join(projectDir, `Pulumi.${stack}.yaml`), "utf8"))).config;

/** Runs the environment's program on a committed stack with some keys changed, against a mocked engine. */
export async function recordEnvironment(
  stack: string,
  changes: Readonly<Record<string, unknown>> = {},
  options: RecordOptions = {},
): Promise<Graph> {
  delete process.env["KUBECONFIG"];
  const { default: door } = await import("../../stacks/environment/index.ts");
  // Pulumi hands objects and lists to programs as JSON text.
  const config = Object.fromEntries(
    Object.entries({ ...committedConfig(stack), ...changes }).map(([key, value]) => [
      key,
      JSON.stringify(value),
    ]),
  );
  return await record(door, { outputs: cloudOutputs, ...options, project: "mayfly", stack, config });
}

/** What AWS would report, as far as our components read it. */
function cloudOutputs({ type, name }: { readonly type: string; readonly name: string }): object {
  const arn = (service: string): string => `arn:aws:${service}:us-east-1:123456789012:${name}`;
  switch (type) {
    case "aws:ec2/vpc:Vpc":
      return { arn: arn("ec2") };
    case "aws:kms/key:Key":
      return { arn: arn("kms"), keyId: name };
    case "aws:iam/role:Role":
      return { arn: `arn:aws:iam::123456789012:role/${name}`, name };
    case "aws:ecr/repository:Repository":
      return { repositoryUrl: `123456789012.dkr.ecr.us-east-1.amazonaws.com/${name}` };
    case "aws:s3/bucket:Bucket":
      return { arn: `arn:aws:s3:::${name}` };
    case "aws:ec2/launchTemplate:LaunchTemplate":
      return { latestVersion: 1 };
    case "aws:eks/nodeGroup:NodeGroup":
      return { nodeGroupName: name, resources: [{ autoscalingGroups: [{ name: `eks-${name}` }] }] };
    case "eks:index:Cluster":
      return {
        kubeconfigJson: "{}",
        oidcProviderArn: arn("iam"),
        oidcProviderUrl: "https://oidc.eks.us-east-1.amazonaws.com/id/PROD",
        eksCluster: {
          name: "mayfly-prod",
          arn: arn("eks"),
          version: "1.34",
          endpoint: "https://prod.eks.amazonaws.com",
          certificateAuthority: { data: "" },
          vpcConfig: { clusterSecurityGroupId: "sg-cluster" },
        },
      };
    default:
      return {};
  }
}

export const contractOf = (graph: Graph): EnvironmentContract =>
  EnvironmentContract.parse(z.object({ contract: z.unknown() }).parse(graph.outputs).contract);

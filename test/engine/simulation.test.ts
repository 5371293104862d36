import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type OperationResult,
  openSimulation,
  type Simulation,
  type Step,
  UNKNOWN,
} from "../../simulation/engine.ts";
import { type Project, writeProject } from "./simulation-project.ts";

/** A small environment: everything that a change of one input can do is in it. */
const PROGRAM = `
import * as aws from "@pulumi/aws";
import * as eks from "@pulumi/eks";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();
const of = (key: string, standard: string): string => config.get(key) ?? standard;

class Environment extends pulumi.ComponentResource {
  readonly cluster: eks.Cluster;
  constructor(name: string, args: object, opts: pulumi.ComponentResourceOptions) {
    super("acme:environment:Environment", name, {}, opts);
    const here = { parent: this };
    const vpc = new aws.ec2.Vpc("acme", { cidrBlock: of("vpc", "10.20.0.0/16") }, here);
    const zones = aws.getAvailabilityZonesOutput({}, { parent: this }).names;
    const subnet = new aws.ec2.Subnet("nodes", {
      vpcId: vpc.id,
      cidrBlock: "10.20.0.0/20",
      availabilityZone: zones.apply((names) => names[0] ?? ""),
      tags: { Name: "acme-nodes" },
    }, here);
    const logs = new aws.s3.Bucket("logs", { bucket: of("bucket", "acme-prod-logs"), tags: { team: of("team", "data") } }, here);
    const role = new aws.iam.Role("nodes", {
      name: "acme-prod-nodes",
      assumeRolePolicy: of("trust", '{"Version":"2012-10-17","Statement":[]}'),
    }, here);
    this.cluster = new eks.Cluster("acme", {
      name: "acme-prod",
      version: "1.33",
      vpcId: vpc.id,
      privateSubnetIds: [subnet.id],
      authenticationMode: eks.AuthenticationMode.Api,
      accessEntries: {
        admins: {
          principalArn: "arn:aws:iam::123456789012:role/admins",
          accessPolicies: {
            cluster: {
              policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
              accessScope: { type: "cluster" },
            },
          },
        },
      },
      endpointPublicAccess: false,
      endpointPrivateAccess: true,
      skipDefaultNodeGroup: true,
      skipDefaultSecurityGroups: config.getBoolean("noGroups"),
      createOidcProvider: true,
      useDefaultVpcCni: true,
      kubeProxyAddonOptions: { enabled: false },
      corednsAddonOptions: { enabled: false },
    }, here);
    const template = new aws.ec2.LaunchTemplate("m7g-4xlarge", {
      metadataOptions: { httpTokens: "required", httpPutResponseHopLimit: Number(of("hops", "1")) },
      blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { volumeSize: 50, encrypted: "true" } }],
    }, here);
    const group = new aws.eks.NodeGroup("m7g-4xlarge", {
      clusterName: this.cluster.eksCluster.name,
      nodeGroupName: "m7g-4xlarge-a",
      nodeRoleArn: role.arn,
      subnetIds: [subnet.id],
      instanceTypes: [of("instance", "m7g.4xlarge")],
      scalingConfig: { minSize: 0, desiredSize: 0, maxSize: Number(of("max", "5")) },
      launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
    }, here);
    new aws.autoscaling.Tag("m7g-4xlarge-pool", {
      autoscalingGroupName: group.resources.apply((all) => all[0]?.autoscalingGroups?.[0]?.name ?? ""),
      tag: { key: "k8s.io/cluster-autoscaler/node-template/label/mayfly.dev/pool", value: of("pool", "batch"), propagateAtLaunch: true },
    }, here);
    this.registerOutputs({});
  }
}

const provider = new aws.Provider("aws", { region: "eu-central-1", defaultTags: { tags: { "mayfly.dev/environment": of("environment", "prod") } } });
const environment = new Environment("acme", {}, { providers: { aws: provider, eks: new eks.Provider("eks") } });
const cluster = new kubernetes.Provider("cluster", { kubeconfig: environment.cluster.kubeconfigJson });
const system = kubernetes.core.v1.Namespace.get("kube-system", "kube-system", { provider: cluster });
const tenant = new kubernetes.core.v1.Namespace("acme", {
  metadata: { name: of("tenant", "acme"), labels: { "mayfly.dev/tenant": of("label", "acme") } },
}, { provider: cluster });
new kubernetes.core.v1.Secret("token", {
  metadata: { name: "token", namespace: tenant.metadata.name },
  stringData: { token: pulumi.secret("s3cr3t-value") },
}, { provider: cluster });
new kubernetes.helm.v3.Release("autoscaler", {
  chart: "cluster-autoscaler",
  version: of("chart", "9.50.1"),
  namespace: "kube-system",
  name: "autoscaler",
  repositoryOpts: { repo: "https://kubernetes.github.io/autoscaler" },
}, { provider: cluster });
export const clusterId = system.metadata.uid;
export const oidc = environment.cluster.oidcProviderArn;
export const apiServer = environment.cluster.eksCluster.endpoint;
`;

const CONFIG = (changes: Readonly<Record<string, string>> = {}): { readonly text: string } => ({
  text: JSON.stringify({
    config: Object.fromEntries(Object.entries(changes).map(([key, value]) => [`acme:${key}`, value])),
  }),
});

/** `type name: op` of what is not the same. */
const changed = ({ steps }: OperationResult): readonly string[] =>
  steps
    .filter(({ op }) => !["same", "read", "refresh"].includes(op))
    .map(({ type, name, op }) => `${op} ${type.split(":").at(-1) ?? type} ${name}`)
    .sort();

const stepOf = ({ steps }: OperationResult, type: string, name: string): Step => {
  const step = steps.find((item) => item.type === type && item.name === name);
  if (step === undefined) throw new Error(`no step of ${type} ${name}`);
  return step;
};

const troubles = ({ diagnostics }: OperationResult): readonly string[] =>
  diagnostics.filter(({ severity }) => severity !== "info").map(({ message }) => message);

describe("a stack on the real engine with simulated clouds", () => {
  let project: Project;
  let simulation: Simulation;
  let first: OperationResult;

  beforeAll(async () => {
    project = await writeProject("acme", PROGRAM);
    simulation = await openSimulation({ projectDir: project.folder, stack: "prod", config: CONFIG() });
    first = await simulation.preview();
  });

  afterAll(async () => {
    await simulation.close();
    await project[Symbol.asyncDispose]();
  });

  test("a preview of an empty stack creates everything and warns of nothing", () => {
    expect(troubles(first)).toEqual([]);
    expect(first.succeeded).toBe(true);
    expect([...new Set(first.steps.map(({ op }) => op))]).toEqual(["create"]);
    expect(first.unmodelled).toEqual([]);
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type OperationResult,
  openSimulation,
  SECRET,
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

/** Vitest types its matchers as any. */
const like = (pattern: RegExp): unknown => expect.stringMatching(pattern);

describe("a stack on the real engine with simulated clouds", () => {
  let project: Project;
  let simulation: Simulation;
  let preview: OperationResult;
  let up: OperationResult;

  beforeAll(async () => {
    project = await writeProject("acme", PROGRAM);
    simulation = await openSimulation({ projectDir: project.folder, stack: "prod", config: CONFIG() });
    preview = await simulation.preview();
    up = await simulation.up();
  });

  afterAll(async () => {
    await simulation.close();
    await project[Symbol.asyncDispose]();
  });

  /** What an edit of the config would change. */
  const edited = async (changes: Readonly<Record<string, string>>): Promise<OperationResult> => {
    await simulation.configure(CONFIG(changes));
    const result = await simulation.preview();
    expect(troubles(result)).toEqual([]);
    return result;
  };

  test("says that it is simulated", () => {
    expect(simulation.notice).toContain("Simulated");
    expect(simulation.notice).toContain("no account, no cluster, no network");
  });

  test("the first preview creates everything, looks up what exists, and warns of nothing", () => {
    expect(troubles(preview)).toEqual([]);
    expect(preview.succeeded).toBe(true);
    expect(preview.unmodelled).toEqual([]);
    expect(changed(preview)).toEqual([
      "create AccessEntry acme-admins",
      "create AccessPolicyAssociation acme-admins-cluster",
      "create Bucket logs",
      "create Cluster acme",
      "create Cluster acme-eksCluster",
      "create Environment acme",
      "create LaunchTemplate m7g-4xlarge",
      "create Namespace acme",
      "create NodeGroup m7g-4xlarge",
      "create OpenIdConnectProvider acme-oidcProvider",
      "create Release autoscaler",
      "create Role acme-eksRole-role",
      "create Role nodes",
      "create RolePolicyAttachment acme-eksRole-4b490823",
      "create Secret token",
      "create SecurityGroup acme-eksClusterSecurityGroup",
      "create SecurityGroup acme-nodeSecurityGroup",
      "create SecurityGroupRule acme-eksClusterIngressRule",
      "create SecurityGroupRule acme-eksClusterInternetEgressRule",
      "create SecurityGroupRule acme-eksExtApiServerClusterIngressRule",
      "create SecurityGroupRule acme-eksNodeClusterIngressRule",
      "create SecurityGroupRule acme-eksNodeIngressRule",
      "create SecurityGroupRule acme-eksNodeInternetEgressRule",
      "create ServiceRole acme-eksRole",
      "create Stack acme-prod",
      "create Subnet nodes",
      "create Tag m7g-4xlarge-pool",
      "create Vpc acme",
      "create aws aws",
      "create eks eks",
      "create kubernetes acme-eks-k8s",
      "create kubernetes cluster",
      // The engine's own, for looking up a resource that another process registered.
      "create pulumi default",
    ]);
    expect(stepOf(preview, "kubernetes:core/v1:Namespace", "kube-system").op).toBe("read");
  });

  test("children of eks.Cluster hang below it and use its provider", () => {
    const component = stepOf(preview, "eks:index:Cluster", "acme");
    const cluster = stepOf(preview, "aws:eks/cluster:Cluster", "acme-eksCluster");
    const role = stepOf(preview, "aws:iam/role:Role", "acme-eksRole-role");
    const policy = stepOf(
      preview,
      "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
      "acme-admins-cluster",
    );
    expect(component.custom).toBe(false);
    expect(cluster.parent).toBe(component.urn);
    expect(role.parent).toBe(stepOf(preview, "eks:index:ServiceRole", "acme-eksRole").urn);
    expect(policy.parent).toBe(stepOf(preview, "aws:eks/accessEntry:AccessEntry", "acme-admins").urn);
    expect(cluster.provider).toContain("pulumi:providers:aws::aws");
    expect(cluster.newInputs).toMatchObject({
      name: "acme-prod",
      version: "1.33",
      accessConfig: { authenticationMode: "API", bootstrapClusterCreatorAdminPermissions: true },
      vpcConfig: { endpointPublicAccess: false, endpointPrivateAccess: true },
    });
  });

  test("a preview knows what the real provider knows: inputs, tags and region, but no ids", () => {
    const { outputs } = stepOf(preview, "aws:ec2/subnet:Subnet", "nodes");
    expect(outputs).toEqual({
      arn: UNKNOWN,
      availabilityZone: "eu-central-1a",
      availabilityZoneId: UNKNOWN,
      cidrBlock: "10.20.0.0/20",
      mapPublicIpOnLaunch: false,
      ownerId: UNKNOWN,
      region: "eu-central-1",
      tags: { Name: "acme-nodes" },
      tagsAll: { Name: "acme-nodes", "mayfly.dev/environment": "prod" },
      vpcId: UNKNOWN,
    });
  });

  test("up makes what the preview said, with ids and ARNs in their real form", () => {
    expect(troubles(up)).toEqual([]);
    expect(changed(up)).toEqual(changed(preview));
    const group = stepOf(up, "aws:eks/nodeGroup:NodeGroup", "m7g-4xlarge").outputs ?? {};
    expect(group["arn"]).toMatch(
      /^arn:aws:eks:eu-central-1:123456789012:nodegroup\/acme-prod\/m7g-4xlarge-a\/[0-9a-f-]{36}$/,
    );
    expect(group["launchTemplate"]).toMatchObject({
      id: like(/^lt-0[0-9a-f]{16}$/),
      version: "1",
    });
    const tag = stepOf(up, "aws:autoscaling/tag:Tag", "m7g-4xlarge-pool").newInputs ?? {};
    expect(tag["autoscalingGroupName"]).toMatch(/^eks-m7g-4xlarge-a-[0-9a-f-]{36}$/);
    expect(stepOf(up, "aws:ec2/vpc:Vpc", "acme").outputs?.["arn"]).toMatch(
      /^arn:aws:ec2:eu-central-1:123456789012:vpc\/vpc-0[0-9a-f]{16}$/,
    );
    expect(up.outputs).toEqual({
      clusterId: like(/^[0-9a-f-]{36}$/),
      oidc: like(
        /^arn:aws:iam::123456789012:oidc-provider\/oidc\.eks\.eu-central-1\.amazonaws\.com\/id\/[0-9A-F]{32}$/,
      ),
      apiServer: like(/^https:\/\/[0-9A-F]{32}\.gr7\.eu-central-1\.eks\.amazonaws\.com$/),
    });
  });

  test("a secret stays a secret", () => {
    expect(stepOf(up, "kubernetes:core/v1:Secret", "token").newInputs?.["stringData"]).toBe(SECRET);
    expect(JSON.stringify(up)).not.toContain("s3cr3t-value");
  });

  test("a second up, also after a refresh, changes nothing", async () => {
    await simulation.configure(CONFIG());
    for (const refresh of [false, true]) {
      const again = await simulation.up({ refresh });
      expect(troubles(again)).toEqual([]);
      expect(changed(again)).toEqual([]);
    }
  });

  test("refresh finds no drift", async () => {
    const refreshed = await simulation.refresh();
    expect(troubles(refreshed)).toEqual([]);
    expect(refreshed.steps.flatMap(({ differences }) => differences)).toEqual([]);
  });

  test("a larger pool is an update of its node group and of nothing else", async () => {
    const result = await edited({ max: "9" });
    expect(changed(result)).toEqual(["update NodeGroup m7g-4xlarge"]);
    const step = stepOf(result, "aws:eks/nodeGroup:NodeGroup", "m7g-4xlarge");
    expect(step.differences).toEqual([{ path: "scalingConfig.maxSize", kind: "update", replaces: false }]);
    expect(step.oldInputs).toMatchObject({ scalingConfig: { maxSize: 5 } });
    expect(step.newInputs).toMatchObject({ scalingConfig: { maxSize: 9 } });
  });

  test("another instance type replaces the node group, whose fixed name must be free first, and the tags on its scaling group", async () => {
    const result = await edited({ instance: "r7g.4xlarge" });
    expect(changed(result)).toEqual(["replace NodeGroup m7g-4xlarge", "replace Tag m7g-4xlarge-pool"]);
    const group = stepOf(result, "aws:eks/nodeGroup:NodeGroup", "m7g-4xlarge");
    expect(group.replaceKeys).toEqual(["instanceTypes"]);
    expect(group.deleteBeforeReplace).toBe(true);
    expect(group.differences).toEqual([{ path: "instanceTypes[0]", kind: "update", replaces: true }]);
    expect(stepOf(result, "aws:autoscaling/tag:Tag", "m7g-4xlarge-pool").newInputs).toMatchObject({
      autoscalingGroupName: UNKNOWN,
    });
  });

  test("a launch template's change makes a version of it, which the node group takes in place", async () => {
    const result = await edited({ hops: "2" });
    expect(changed(result)).toEqual(["update LaunchTemplate m7g-4xlarge", "update NodeGroup m7g-4xlarge"]);
    expect(stepOf(result, "aws:ec2/launchTemplate:LaunchTemplate", "m7g-4xlarge").outputs).toMatchObject({
      latestVersion: UNKNOWN,
    });
    expect(stepOf(result, "aws:eks/nodeGroup:NodeGroup", "m7g-4xlarge").newInputs).toMatchObject({
      launchTemplate: { id: like(/^lt-/), version: UNKNOWN },
    });
  });

  test("another network replaces the VPC and all that can't move to another one", async () => {
    const result = await edited({ vpc: "10.30.0.0/16" });
    const replaced = changed(result).filter((line) => line.startsWith("replace"));
    expect(replaced).toEqual([
      "replace NodeGroup m7g-4xlarge",
      "replace SecurityGroup acme-eksClusterSecurityGroup",
      "replace SecurityGroup acme-nodeSecurityGroup",
      "replace SecurityGroupRule acme-eksClusterIngressRule",
      "replace SecurityGroupRule acme-eksClusterInternetEgressRule",
      "replace SecurityGroupRule acme-eksExtApiServerClusterIngressRule",
      "replace SecurityGroupRule acme-eksNodeClusterIngressRule",
      "replace SecurityGroupRule acme-eksNodeIngressRule",
      "replace SecurityGroupRule acme-eksNodeInternetEgressRule",
      "replace Subnet nodes",
      "replace Tag m7g-4xlarge-pool",
      "replace Vpc acme",
    ]);
    expect(changed(result)).toContain("update Cluster acme-eksCluster");
  });

  test("a name is what a bucket or a namespace is, so that another one replaces it and what lies in it", async () => {
    const result = await edited({ bucket: "acme-prod-run-logs", tenant: "acme-two" });
    expect(changed(result)).toEqual([
      "replace Bucket logs",
      "replace Namespace acme",
      "replace Secret token",
    ]);
  });

  test("tags, labels and a chart's version change in place; a policy document with other white space is the same one", async () => {
    const result = await edited({
      team: "platform",
      label: "acme-two",
      chart: "9.51.0",
      trust: '{ "Statement": [], "Version": "2012-10-17" }',
    });
    expect(changed(result)).toEqual([
      "update Bucket logs",
      "update Namespace acme",
      "update Release autoscaler",
    ]);
    expect(stepOf(result, "aws:s3/bucket:Bucket", "logs").differences.map(({ path }) => path)).toEqual([
      "tags.team",
      "tagsAll.team",
    ]);
  });

  test("another default tag updates what has tags", async () => {
    const result = await edited({ environment: "staging" });
    expect(changed(result)).toContain("update Vpc acme");
    expect(changed(result)).not.toContain("update AccessPolicyAssociation acme-admins-cluster");
    expect(stepOf(result, "aws:ec2/vpc:Vpc", "acme").differences).toEqual([
      { path: 'tagsAll["mayfly.dev/environment"]', kind: "update", replaces: false },
    ]);
  });

  test("without default security groups none are made, and those of before go", async () => {
    const result = await edited({ noGroups: "true" });
    expect(changed(result).filter((line) => line.startsWith("delete"))).toHaveLength(8);
    expect(changed(result)).toContain("update Cluster acme-eksCluster");
  });

  test("the config of the project is not written to", async () => {
    await simulation.configure(CONFIG());
    expect(existsSync(join(project.folder, "Pulumi.prod.yaml"))).toBe(false);
  });

  test("destroy takes down what depends on others first, and leaves nothing", async () => {
    const planned = await simulation.previewDestroy();
    const destroyed = await simulation.destroy();
    expect(troubles(destroyed)).toEqual([]);
    expect(new Set(destroyed.steps.map(({ op }) => op))).toEqual(new Set(["delete"]));
    expect(destroyed.steps.map(({ urn }) => urn).sort()).toEqual(planned.steps.map(({ urn }) => urn).sort());
    const order = destroyed.steps.map(({ type, name }) => `${type.split(":").at(-1) ?? ""} ${name}`);
    const goesBefore = (first: string, second: string): void => {
      expect(order.indexOf(first), `${first} before ${second}`).toBeLessThan(order.indexOf(second));
    };
    goesBefore("Tag m7g-4xlarge-pool", "NodeGroup m7g-4xlarge");
    goesBefore("NodeGroup m7g-4xlarge", "Cluster acme-eksCluster");
    goesBefore("Release autoscaler", "Cluster acme-eksCluster");
    goesBefore("Cluster acme-eksCluster", "Subnet nodes");
    goesBefore("Subnet nodes", "Vpc acme");
    expect(await simulation.resources()).toEqual([]);
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectDir } from "../../../base/paths.ts";
import { isList, isRecord, type Json, parseJson, show, textAt } from "../../json.ts";
import { reveal } from "../../wire.ts";
import { type Constructed, type ConstructRequest, PluginError } from "../provider.ts";
import { accessEntries, awsAuth, handedOver } from "./access.ts";
import { addons, vpcCni } from "./addons.ts";
import { arnOf, awsChild, type Build, isOn, serviceRole, tagsOf } from "./build.ts";
import { issuerOf, kubeconfigOf } from "./kubeconfig.ts";
import {
  idOf,
  type Monitor,
  made,
  openMonitor,
  output,
  plain,
  providerReference,
  type Registered,
  record,
  reference,
  type Value,
} from "./monitor.ts";
import { clusterSecurityGroup, nodeSecurityGroup } from "./security-groups.ts";

/**
 * What `new eks.Cluster` makes, as read in nodejs/eks/cluster/cluster.ts of pulumi/pulumi-eks (commit 1069dbb, 4.x): names, types,
 * parents and inputs of its children. docs/simulation.md says what is left out.
 */
export async function constructCluster(request: ConstructRequest): Promise<Constructed> {
  refuseUnmodelled(request);
  const monitor = openMonitor(request.monitor);
  try {
    const component = await monitor.register({
      type: request.type,
      name: request.name,
      parent: request.parent,
      component: true,
      properties: {},
      providers: request.providers,
      dependsOn: request.dependencies,
      aliases: request.aliases,
      protect: request.protect,
    });
    const outputs = await parts(monitor, component.urn, request);
    const entries = Object.entries(outputs).flatMap(([key, value]): [string, Value][] =>
      value === undefined ? [] : [[key, value]],
    );
    const state = Object.fromEntries(entries.map(([key, { json }]) => [key, json]));
    await monitor.setOutputs(component.urn, state);
    return {
      urn: component.urn,
      state,
      dependencies: new Map(entries.map(([key, { from }]) => [key, from])),
    };
  } finally {
    monitor.close();
  }
}

/** What of the component is not modelled, with the setting that avoids it. */
function refuseUnmodelled({ name, inputs }: ConstructRequest): void {
  const refuse = (property: string, instead: string): never => {
    throw new PluginError(
      `${property} of eks.Cluster ${name} is not simulated; ${instead} (docs/simulation.md says what is)`,
    );
  };
  if (reveal(inputs["skipDefaultNodeGroup"] ?? null) !== true)
    refuse("the default node group", "set skipDefaultNodeGroup: true");
  for (const property of ["autoMode", "fargate", "creationRoleProvider", "storageClasses"])
    if (inputs[property] !== undefined) refuse(property, "leave it out");
  if (inputs["vpcId"] === undefined) refuse("the default VPC", "set vpcId");
}

async function parts(
  monitor: Monitor,
  urn: string,
  request: ConstructRequest,
): Promise<Readonly<Record<string, Value | undefined>>> {
  const { inputs, inputDependencies, providers } = request;
  const aws = providers.get("aws");
  const partition = await monitor.invoke("aws:index/getPartition:getPartition", {}, aws ?? "");
  const build: Build = {
    monitor,
    name: request.name,
    urn,
    aws,
    partition: textAt(partition, "partition") ?? "aws",
    inputs,
    input: (property) => {
      const json = inputs[property];
      return json === undefined ? undefined : { json, from: inputDependencies.get(property) ?? [] };
    },
  };

  const given = await handedOver(build, build.input("serviceRole"));
  const own =
    given === undefined
      ? await serviceRole(build, "eksRole", {
          service: "eks.amazonaws.com",
          description: "Allows EKS to manage clusters on your behalf.",
          policies: ["AmazonEKSClusterPolicy"],
          actions: ["sts:AssumeRole", "sts:TagSession"],
        })
      : undefined;
  const role = given ?? own?.role;
  const skipGroups = isOn(build, "skipDefaultSecurityGroups");
  const group =
    (await handedOver(build, build.input("clusterSecurityGroup"))) ??
    (skipGroups ? undefined : await clusterSecurityGroup(build));
  const cluster = await eksCluster(build, role, group, own?.ready ?? []);
  const kubeconfig = kubeconfigOf(cluster);
  const kubernetesVersion = sdkVersion("kubernetes");
  const kubernetes = await monitor.register({
    type: "pulumi:providers:kubernetes",
    name: `${build.name}-eks-k8s`,
    parent: urn,
    version: kubernetesVersion,
    properties: {
      kubeconfig: made([kubeconfig], (value) => JSON.stringify(value)),
      enableConfigMapMutable: build.input("enableConfigMapMutable"),
    },
  });

  const roles = await nodeRoles(build);
  const mode = reveal(inputs["authenticationMode"] ?? "CONFIG_MAP");
  const configMap =
    mode === "API" ? [] : [await awsAuth(build, providerReference(kubernetes), kubernetesVersion, roles.all)];
  const entries = mode === "CONFIG_MAP" ? [] : await accessEntries(build, cluster, roles.own);
  await Promise.all([vpcCni(build, cluster, [...entries, ...configMap]), addons(build, cluster)]);
  const oidc = isOn(build, "createOidcProvider")
    ? await awsChild(
        build,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        `${build.name}-oidcProvider`,
        {
          clientIdLists: plain(["sts.amazonaws.com"]),
          url: issuerOf(cluster),
          // The real one asks the issuer's server for it.
          thumbprintLists: plain(["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]),
        },
      )
    : undefined;
  const nodes =
    skipGroups || group === undefined ? undefined : await nodeSecurityGroup(build, cluster, idOf(group));

  const awsVersion = sdkVersion("aws");
  const link = (resource: Registered | undefined): Value | undefined =>
    resource === undefined ? undefined : reference(resource, awsVersion);
  const links = (resources: readonly Registered[]): Value => {
    const values = resources.map((resource) => reference(resource, awsVersion));
    return { json: values.map(({ json }) => json), from: values.flatMap(({ from }) => from) };
  };
  const eksGroup = made([output(cluster, "vpcConfig")], (config) =>
    isRecord(config) ? (config["clusterSecurityGroupId"] ?? "") : "",
  );
  const issuer = issuerOf(cluster);
  return {
    eksCluster: link(cluster),
    core: record({
      cluster: link(cluster),
      vpcId: build.input("vpcId"),
      subnetIds: subnetIds(build),
      publicSubnetIds: build.input("publicSubnetIds"),
      privateSubnetIds: build.input("privateSubnetIds"),
      clusterSecurityGroup: link(group),
      endpoint: output(cluster, "endpoint"),
      nodeGroupOptions: build.input("nodeGroupOptions") ?? plain({}),
      kubeconfig,
      provider: reference(kubernetes, kubernetesVersion),
      instanceRoles: links(roles.all),
      tags: build.input("tags"),
      nodeSecurityGroupTags: build.input("nodeSecurityGroupTags"),
      storageClasses: plain({}),
      oidcProvider: link(oidc),
      encryptionConfig: build.input("encryptionConfigKeyArn") && output(cluster, "encryptionConfig"),
      clusterIamRole: link(role),
      accessEntries: plain([]),
    }),
    kubeconfig,
    kubeconfigJson: made([kubeconfig], (value) => JSON.stringify(value)),
    clusterSecurityGroup: link(group),
    clusterSecurityGroupId: group === undefined ? eksGroup : idOf(group),
    nodeSecurityGroup: link(nodes?.group),
    nodeSecurityGroupId: nodes === undefined ? eksGroup : idOf(nodes.group),
    eksClusterIngressRule: link(nodes?.ingress),
    clusterIngressRuleId: nodes === undefined ? plain("") : output(nodes.ingress, "securityGroupRuleId"),
    instanceRoles: links(roles.all),
    defaultNodeGroupAsgName: plain(""),
    fargateProfileId: plain(""),
    fargateProfileStatus: plain(""),
    oidcProviderArn: oidc === undefined ? plain("") : arnOf(oidc),
    oidcProviderUrl: issuer,
    oidcIssuer: made([issuer], (url) => show(url).replace("https://", "")),
    autoModeNodeRoleName: plain(""),
  };
}

async function eksCluster(
  build: Build,
  role: Registered | undefined,
  group: Registered | undefined,
  dependsOn: readonly string[],
): Promise<Registered> {
  const name = `${build.name}-eksCluster`;
  const { input } = build;
  const keyArn = input("encryptionConfigKeyArn");
  const mode = input("authenticationMode");
  return await awsChild(
    build,
    "aws:eks/cluster:Cluster",
    name,
    {
      name: input("name"),
      roleArn: role === undefined ? undefined : arnOf(role),
      kubernetesNetworkConfig: networkConfig(build),
      bootstrapSelfManagedAddons: input("bootstrapSelfManagedAddons") ?? plain(true),
      vpcConfig: record({
        securityGroupIds: group && { json: [idOf(group).json], from: [group.urn] },
        subnetIds: subnetIds(build),
        endpointPrivateAccess: input("endpointPrivateAccess"),
        endpointPublicAccess: input("endpointPublicAccess"),
        publicAccessCidrs: input("publicAccessCidrs"),
      }),
      version: input("version"),
      enabledClusterLogTypes: input("enabledClusterLogTypes"),
      tags: tagsOf(build, name, input("clusterTags")),
      encryptionConfig: keyArn && {
        json: { provider: { keyArn: keyArn.json }, resources: ["secrets"] },
        from: keyArn.from,
      },
      accessConfig: mode && {
        json: { authenticationMode: mode.json, bootstrapClusterCreatorAdminPermissions: true },
        from: mode.from,
      },
      upgradePolicy: input("upgradePolicy"),
      deletionProtection: input("deletionProtection"),
    },
    {
      dependsOn,
      ignoreChanges: ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"],
    },
  );
}

function networkConfig(build: Build): Value | undefined {
  const range = build.input("kubernetesServiceIpAddressRange");
  const family = build.input("ipFamily");
  if (range === undefined && family === undefined) return undefined;
  return record({
    ipFamily: family ?? plain("ipv4"),
    ...(reveal(family?.json ?? "ipv4") === "ipv4" ? { serviceIpv4Cidr: range } : {}),
  });
}

function subnetIds(build: Build): Value {
  const all = build.input("subnetIds");
  if (all !== undefined) return all;
  const lists = ["publicSubnetIds", "privateSubnetIds"].map((property) => build.input(property) ?? plain([]));
  return {
    json: lists.flatMap(({ json }): readonly Json[] => (isList(json) ? json : [json])),
    from: lists.flatMap(({ from }) => from),
  };
}

/** Roles of nodes that the cluster is to know, and the one that it makes if asked. */
async function nodeRoles(
  build: Build,
): Promise<{ readonly all: readonly Registered[]; readonly own: Registered | undefined }> {
  const list = build.input("instanceRoles");
  if (list !== undefined) {
    const items = isList(list.json) ? list.json : [];
    const found = await Promise.all(
      items.map(async (json) => await handedOver(build, { json, from: list.from })),
    );
    return { all: found.filter((role) => role !== undefined), own: undefined };
  }
  const one = await handedOver(build, build.input("instanceRole"));
  if (one !== undefined) return { all: [one], own: one };
  if (!isOn(build, "createInstanceRole")) return { all: [], own: undefined };
  const { role } = await serviceRole(build, "instanceRole", {
    service: "ec2.amazonaws.com",
    policies: ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"],
    actions: ["sts:AssumeRole"],
  });
  await awsChild(build, "aws:iam/instanceProfile:InstanceProfile", `${build.name}-instanceProfile`, {
    role: idOf(role),
  });
  return { all: [role], own: role };
}

/** The version of the npm package of a plugin, which the engine asks for. */
function sdkVersion(name: string): string {
  const path = join(projectDir, "node_modules", "@pulumi", name, "package.json");
  const version = textAt(parseJson(readFileSync(path, "utf8")), "version");
  if (version === undefined) throw new Error(`${path} has no version`);
  return version;
}

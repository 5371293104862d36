import { isRecord, type Json, type JsonRecord, recordAt, textAt } from "../../json.ts";
import { referencedUrn, reveal } from "../../wire.ts";
import { invoke } from "../aws/invokes.ts";
import { arnOf, awsChild, type Build, isOn, option, tagsOf } from "./build.ts";
import { idOf, made, output, plain, type Registered, type Value } from "./monitor.ts";

const RULE = "aws:ec2/securityGroupRule:SecurityGroupRule";
const EVERYWHERE = {
  type: plain("egress"),
  description: plain("Allow internet access."),
  fromPort: plain(0),
  toPort: plain(0),
  protocol: plain("-1"),
  cidrBlocks: plain(["0.0.0.0/0"]),
};

/** The security group of the control plane, where the program wants the default one. */
export async function clusterSecurityGroup(build: Build): Promise<Registered> {
  const name = `${build.name}-eksClusterSecurityGroup`;
  const group = await awsChild(build, "aws:ec2/securityGroup:SecurityGroup", name, {
    vpcId: build.input("vpcId"),
    revokeRulesOnDelete: plain(true),
    tags: tagsOf(build, name, build.input("clusterSecurityGroupTags")),
  });
  await awsChild(build, RULE, `${build.name}-eksClusterInternetEgressRule`, {
    ...EVERYWHERE,
    securityGroupId: idOf(group),
  });
  return group;
}

/** The security group of nodes and its rules: nodejs/eks/nodes/securitygroup.ts. */
export async function nodeSecurityGroup(
  build: Build,
  cluster: Registered,
  controlPlane: Value,
): Promise<{ readonly group: Registered; readonly ingress: Registered }> {
  const name = `${build.name}-nodeSecurityGroup`;
  const owned = made([output(cluster, "name")], (clusterName) => ({
    [`kubernetes.io/cluster/${String(clusterName)}`]: "owned",
  }));
  const group = await awsChild(build, "aws:ec2/securityGroup:SecurityGroup", name, {
    vpcId: build.input("vpcId"),
    revokeRulesOnDelete: plain(true),
    tags: tagsOf(build, name, build.input("nodeSecurityGroupTags"), [owned]),
  });
  const ingress = { type: plain("ingress") };
  const [, , , , toCluster] = await Promise.all([
    awsChild(build, RULE, `${build.name}-eksNodeIngressRule`, {
      ...ingress,
      description: plain("Allow nodes to communicate with each other"),
      fromPort: plain(0),
      toPort: plain(0),
      protocol: plain("-1"),
      securityGroupId: idOf(group),
      self: plain(true),
    }),
    awsChild(build, RULE, `${build.name}-eksNodeClusterIngressRule`, {
      ...ingress,
      description: plain(
        "Allow worker Kubelets and pods to receive communication from the cluster control plane",
      ),
      fromPort: plain(1025),
      toPort: plain(65535),
      protocol: plain("tcp"),
      securityGroupId: idOf(group),
      sourceSecurityGroupId: controlPlane,
    }),
    awsChild(build, RULE, `${build.name}-eksExtApiServerClusterIngressRule`, {
      ...ingress,
      description: plain(
        "Allow pods running extension API servers on port 443 to receive communication from cluster control plane",
      ),
      fromPort: plain(443),
      toPort: plain(443),
      protocol: plain("tcp"),
      securityGroupId: idOf(group),
      sourceSecurityGroupId: controlPlane,
    }),
    awsChild(build, RULE, `${build.name}-eksNodeInternetEgressRule`, {
      ...EVERYWHERE,
      securityGroupId: idOf(group),
    }),
    awsChild(build, RULE, `${build.name}-eksClusterIngressRule`, {
      ...ingress,
      description: plain("Allow pods to communicate with the cluster API Server"),
      fromPort: plain(443),
      toPort: plain(443),
      protocol: plain("tcp"),
      securityGroupId: controlPlane,
      sourceSecurityGroupId: idOf(group),
    }),
  ]);
  return { group, ingress: toCluster };
}

/** Version of an add-on: the pinned one, else what AWS would be asked for. */
function addonVersion(build: Build, cluster: Registered, options: string, key: string, addon: string): Value {
  const pinned = option(build, options, key);
  if (pinned !== undefined) return pinned;
  // Asked with the version of a cluster: of one that is not there yet nothing is known.
  return made([output(cluster, "version"), idOf(cluster)], (version) => {
    const answer = invoke(
      "aws:eks/getAddonVersion:getAddonVersion",
      { addonName: addon, kubernetesVersion: version, mostRecent: true },
      "",
    );
    return answer["version"] ?? "";
  });
}

const ADDON = "aws:eks/addon:Addon";

/** kube-proxy and CoreDNS, unless the program switches them off. */
export async function addons(build: Build, cluster: Registered): Promise<void> {
  const wanted = async (name: string, options: string): Promise<void> => {
    const configuration = option(build, options, "configurationValues");
    await awsChild(build, ADDON, `${build.name}-${name}`, {
      clusterName: output(cluster, "name"),
      addonName: plain(name),
      addonVersion: addonVersion(build, cluster, options, "version", name),
      preserve: plain(true),
      tags: build.input("tags"),
      resolveConflictsOnCreate: option(build, options, "resolveConflictsOnCreate") ?? plain("OVERWRITE"),
      resolveConflictsOnUpdate: option(build, options, "resolveConflictsOnUpdate") ?? plain("OVERWRITE"),
      configurationValues:
        configuration === undefined
          ? undefined
          : made([configuration], (values) => JSON.stringify(reveal(values))),
    });
  };
  const enabled = (options: string): Json => reveal(option(build, options, "enabled")?.json ?? null);
  if (enabled("kubeProxyAddonOptions") !== false) await wanted("kube-proxy", "kubeProxyAddonOptions");
  // Without a default node group there is nowhere to put it, so it has to be asked for.
  const explicit =
    enabled("corednsAddonOptions") === true ||
    option(build, "corednsAddonOptions", "configurationValues") !== undefined;
  if (explicit) await wanted("coredns", "corednsAddonOptions");
}

/** Options of the VPC CNI that become environment variables: nodejs/eks/addons/cni-addon.ts. */
const CNI_VARIABLES: readonly (readonly [option: string, variable: string, standard: string | undefined])[] =
  [
    ["nodePortSupport", "AWS_VPC_CNI_NODE_PORT_SUPPORT", undefined],
    ["customNetworkConfig", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", undefined],
    ["warmEniTarget", "WARM_ENI_TARGET", "1"],
    ["warmIpTarget", "WARM_IP_TARGET", undefined],
    ["warmPrefixTarget", "WARM_PREFIX_TARGET", undefined],
    ["enablePrefixDelegation", "ENABLE_PREFIX_DELEGATION", undefined],
    ["logLevel", "AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"],
    ["logFile", "AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"],
    ["vethPrefix", "AWS_VPC_K8S_CNI_VETHPREFIX", "eni"],
    ["eniMtu", "AWS_VPC_ENI_MTU", "9001"],
    ["eniConfigLabelDef", "ENI_CONFIG_LABEL_DEF", undefined],
    ["pluginLogLevel", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"],
    ["pluginLogFile", "AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"],
    ["enablePodEni", "ENABLE_POD_ENI", "false"],
    ["cniConfigureRpfilter", "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", undefined],
    ["cniCustomNetworkCfg", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"],
    ["cniExternalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"],
  ];

/** The VPC CNI as a managed add-on in a component of its own, unless the program keeps the one that EKS brings. */
export async function vpcCni(build: Build, cluster: Registered, after: readonly string[]): Promise<void> {
  if (isOn(build, "useDefaultVpcCni")) return;
  const name = `${build.name}-vpc-cni`;
  const options = build.input("vpcCniOptions") ?? plain({});
  const component = await build.monitor.register({
    type: "eks:index:VpcCniAddon",
    name,
    parent: build.urn,
    component: true,
    properties: {},
    dependsOn: after,
    providers: build.aws === undefined ? new Map() : new Map([["aws", build.aws]]),
  });
  await awsChild(
    build,
    ADDON,
    name,
    {
      clusterName: output(cluster, "name"),
      addonName: plain("vpc-cni"),
      addonVersion: addonVersion(build, cluster, "vpcCniOptions", "addonVersion", "vpc-cni"),
      resolveConflictsOnCreate:
        option(build, "vpcCniOptions", "resolveConflictsOnCreate") ?? plain("OVERWRITE"),
      resolveConflictsOnUpdate:
        option(build, "vpcCniOptions", "resolveConflictsOnUpdate") ?? plain("OVERWRITE"),
      preserve: plain(true),
      configurationValues: made([options], (values) => JSON.stringify(cniConfiguration(values))),
      serviceAccountRoleArn: option(build, "vpcCniOptions", "serviceAccountRoleArn"),
      tags: build.input("tags"),
    },
    { parent: component.urn, dependsOn: after },
  );
  await build.monitor.setOutputs(component.urn, {});
}

function cniConfiguration(options: Json): JsonRecord {
  const given = reveal(options);
  const values = isRecord(given) ? given : {};
  const configuration = recordAt(values, "configurationValues");
  const env: [string, Json][] = CNI_VARIABLES.flatMap(([key, variable, standard]): [string, Json][] => {
    const value = values[key];
    const text = value === undefined || value === false || value === "" ? standard : String(value);
    return text === undefined ? [] : [[variable, text]];
  });
  const init = { DISABLE_TCP_EARLY_DEMUX: values["disableTcpEarlyDemux"] === true ? "true" : "false" };
  return {
    ...configuration,
    ...(values["enableNetworkPolicy"] === undefined || "enableNetworkPolicy" in configuration
      ? {}
      : { enableNetworkPolicy: String(values["enableNetworkPolicy"]) }),
    env: { ...Object.fromEntries(env), ...recordAt(configuration, "env") },
    init: {
      ...recordAt(configuration, "init"),
      env: { ...init, ...recordAt(configuration, "init", "env") },
    },
  };
}

/** Who may use the cluster: one entry per principal and its policies, nodejs/eks/cluster/authenticationMode.ts. */
export async function accessEntries(
  build: Build,
  cluster: Registered,
  nodeRole: Registered | undefined,
): Promise<readonly string[]> {
  const from = build.input("accessEntries")?.from ?? [];
  const node: readonly (readonly [string, JsonRecord, Value])[] =
    nodeRole === undefined ? [] : [["defaultNodeGroupInstanceRole", { type: "EC2_LINUX" }, arnOf(nodeRole)]];
  const given = Object.entries(recordAt(build.inputs, "accessEntries")).flatMap(
    ([name, entry]): (readonly [string, JsonRecord, Value])[] =>
      isRecord(entry) ? [[name, entry, { json: entry["principalArn"] ?? "", from }]] : [],
  );
  const groups = await Promise.all(
    [...node, ...given].map(async ([name, entry, principalArn]) => {
      const value = (key: string): Value | undefined =>
        entry[key] === undefined ? undefined : { json: entry[key], from };
      const made = await awsChild(
        build,
        "aws:eks/accessEntry:AccessEntry",
        `${build.name}-${name}`,
        {
          clusterName: output(cluster, "name"),
          principalArn,
          kubernetesGroups: value("kubernetesGroups"),
          tags: value("tags"),
          type: value("type"),
          userName: value("username"),
        },
        { dependsOn: [cluster.urn] },
      );
      const policies = Object.entries(recordAt(entry, "accessPolicies"));
      await Promise.all(
        policies.map(async ([policyName, policy]) => {
          await awsChild(
            build,
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            `${build.name}-${name}-${policyName}`,
            {
              clusterName: output(cluster, "name"),
              principalArn,
              policyArn: { json: recordAt({ policy }, "policy")["policyArn"] ?? "", from },
              accessScope: { json: recordAt({ policy }, "policy")["accessScope"] ?? {}, from },
            },
            { parent: made.urn, dependsOn: [made.urn] },
          );
        }),
      );
      return made.urn;
    }),
  );
  return groups;
}

/** The aws-auth ConfigMap of the older way: who may use the cluster is written in the cluster. */
export async function awsAuth(
  build: Build,
  kubernetes: string,
  version: string,
  roles: readonly Registered[],
): Promise<string> {
  const mappings = build.input("roleMappings") ?? plain([]);
  const users = build.input("userMappings");
  const node = {
    username: "system:node:{{EC2PrivateDNSName}}",
    groups: ["system:bootstrappers", "system:nodes"],
  };
  const yaml = (key: string, list: readonly Json[]): string =>
    JSON.stringify(
      list.filter(isRecord).map(({ username, groups, ...rest }) => ({
        [key.toLowerCase()]: textAt(rest, key) ?? "",
        username,
        groups,
      })),
    );
  const mapRoles = made([mappings, ...roles.map(arnOf)], (given, ...arns) =>
    yaml("roleArn", [
      ...(Array.isArray(given) ? given : []),
      ...arns.map((roleArn) => ({ roleArn, ...node })),
    ]),
  );
  const mapUsers =
    users === undefined
      ? undefined
      : made([users], (given) => yaml("userArn", Array.isArray(given) ? given : []));
  const { urn } = await build.monitor.register({
    type: "kubernetes:core/v1:ConfigMap",
    name: `${build.name}-nodeAccess`,
    parent: build.urn,
    provider: kubernetes,
    version,
    properties: {
      apiVersion: plain("v1"),
      kind: plain("ConfigMap"),
      immutable: plain(false),
      metadata: plain({
        name: "aws-auth",
        namespace: "kube-system",
        annotations: { "pulumi.com/patchForce": "true" },
      }),
      data: {
        json: { mapRoles: mapRoles.json, ...(mapUsers === undefined ? {} : { mapUsers: mapUsers.json }) },
        from: [...mapRoles.from, ...(mapUsers?.from ?? [])],
      },
    },
  });
  return urn;
}

/** A resource that the program handed over. */
export async function handedOver(build: Build, value: Value | undefined): Promise<Registered | undefined> {
  const urn = referencedUrn(reveal(value?.json ?? null)) ?? referencedUrn(value?.json);
  return urn === undefined ? undefined : await build.monitor.lookUp(urn);
}

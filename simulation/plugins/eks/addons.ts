import { isRecord, type Json, type JsonRecord, recordAt, show } from "../../json.ts";
import { reveal } from "../../wire.ts";
import { invoke } from "../aws/invokes.ts";
import { awsChild, type Build, isOn, option } from "./build.ts";
import { idOf, made, output, plain, type Registered, type Value } from "./monitor.ts";

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
    const text = value === undefined || value === false || value === "" ? standard : show(value);
    return text === undefined ? [] : [[variable, text]];
  });
  const init = { DISABLE_TCP_EARLY_DEMUX: values["disableTcpEarlyDemux"] === true ? "true" : "false" };
  return {
    ...configuration,
    ...(values["enableNetworkPolicy"] === undefined || "enableNetworkPolicy" in configuration
      ? {}
      : { enableNetworkPolicy: show(values["enableNetworkPolicy"]) }),
    env: { ...Object.fromEntries(env), ...recordAt(configuration, "env") },
    init: {
      ...recordAt(configuration, "init"),
      env: { ...init, ...recordAt(configuration, "init", "env") },
    },
  };
}

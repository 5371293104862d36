import { isRecord, recordAt, textAt } from "../../json.ts";
import { digest, uuid } from "../identity.ts";
import { arn, type Facts, idIs, input, MADE_AT, type Models } from "./model.ts";

/** The id that is in the endpoint and the issuer of a cluster: 32 capital hexadecimal digits. */
const clusterKey = (facts: Facts): string => digest(32, facts.urn, facts.id, "endpoint").toUpperCase();

/** `cluster:name` and the like. */
const joined =
  (separator: string, ...properties: readonly string[]) =>
  (facts: Facts): string =>
    properties.map((property) => input(facts, property)).join(separator);

/**
 * What replaces what: `ForceNew` and `CustomizeDiff` in hashicorp/terraform-provider-aws, internal/service/eks, read in
 * cluster.go and node_group.go.
 */
export const EKS: Models = {
  "aws:eks/cluster:Cluster": {
    id: idIs("name"),
    outputs: (facts) => {
      const key = clusterKey(facts);
      return {
        arn: arn(facts, "eks", `cluster/${facts.id}`),
        certificateAuthority: {
          data: Buffer.from(`simulated certificate authority of ${facts.id}`).toString("base64"),
        },
        createdAt: MADE_AT,
        endpoint: `https://${key}.gr7.${facts.region}.eks.amazonaws.com`,
        identities: [{ oidcs: [{ issuer: `https://oidc.eks.${facts.region}.amazonaws.com/id/${key}` }] }],
        platformVersion: "eks.1",
        status: "ACTIVE",
        version: textAt(facts.inputs, "version") ?? "1.33",
        vpcConfig: {
          ...recordAt(facts.inputs, "vpcConfig"),
          clusterSecurityGroupId: `sg-0${digest(16, facts.urn, facts.id, "cluster security group")}`,
          vpcId: `vpc-0${digest(16, facts.urn, "vpc")}`,
        },
      };
    },
    defaults: { bootstrapSelfManagedAddons: true },
    replaces: [
      "accessConfig.bootstrapClusterCreatorAdminPermissions",
      "bootstrapSelfManagedAddons",
      "kubernetesNetworkConfig.ipFamily",
      "kubernetesNetworkConfig.serviceIpv4Cidr",
      "name",
      "outpostConfig",
      "roleArn",
    ],
    // "You cannot disable envelope encryption after enabling it": ForceNewIfChange of cluster.go.
    replacesWhenRemoved: ["encryptionConfig"],
    sets: [
      "enabledClusterLogTypes",
      "encryptionConfig.resources",
      "vpcConfig.publicAccessCidrs",
      "vpcConfig.securityGroupIds",
      "vpcConfig.subnetIds",
    ],
    name: { property: "name" },
    tagged: true,
    regional: true,
  },
  "aws:eks/nodeGroup:NodeGroup": {
    id: (facts) => `${input(facts, "clusterName")}:${nodeGroupName(facts)}`,
    outputs: (facts) => {
      const [cluster = "", name = ""] = facts.id.split(":");
      return {
        arn: arn(facts, "eks", `nodegroup/${cluster}/${name}/${uuid(facts.id, "node group")}`),
        nodeGroupName: name,
        resources: [
          {
            autoscalingGroups: [{ name: `eks-${name}-${uuid(facts.id, "node group")}` }],
            remoteAccessSecurityGroupId: "",
          },
        ],
        status: "ACTIVE",
        version: textAt(facts.inputs, "version") ?? "1.33",
        releaseVersion: textAt(facts.inputs, "releaseVersion") ?? "1.33.0-20260101",
        amiType: textAt(facts.inputs, "amiType") ?? "AL2023_x86_64_STANDARD",
        ...(isRecord(facts.inputs["launchTemplate"])
          ? { launchTemplate: launchTemplate(facts) }
          : { diskSize: facts.inputs["diskSize"] ?? 20 }),
      };
    },
    defaults: { capacityType: "ON_DEMAND" },
    replaces: [
      "amiType",
      "capacityType",
      "clusterName",
      "diskSize",
      "instanceTypes",
      "launchTemplate.id",
      "launchTemplate.name",
      "nodeGroupName",
      "nodeGroupNamePrefix",
      "nodeRoleArn",
      "remoteAccess",
      "subnetIds",
    ],
    sets: ["subnetIds", "taints"],
    name: { property: "nodeGroupName", unless: ["nodeGroupNamePrefix"] },
    tagged: true,
    regional: true,
  },
  "aws:eks/addon:Addon": {
    id: joined(":", "clusterName", "addonName"),
    outputs: (facts) => ({
      arn: arn(facts, "eks", `addon/${facts.id.replace(":", "/")}/${uuid(facts.id, "addon")}`),
      addonVersion: textAt(facts.inputs, "addonVersion") ?? "v1.0.0-eksbuild.1",
      createdAt: MADE_AT,
      modifiedAt: MADE_AT,
    }),
    replaces: ["addonName", "clusterName", "namespaceConfig"],
    tagged: true,
    regional: true,
  },
  "aws:eks/accessEntry:AccessEntry": {
    id: joined(":", "clusterName", "principalArn"),
    outputs: (facts) => ({
      accessEntryArn: arn(
        facts,
        "eks",
        `access-entry/${input(facts, "clusterName")}/${uuid(facts.id, "entry")}`,
      ),
      userName: textAt(facts.inputs, "userName") ?? input(facts, "principalArn"),
      createdAt: MADE_AT,
      modifiedAt: MADE_AT,
    }),
    defaults: { type: "STANDARD" },
    replaces: ["clusterName", "principalArn", "type"],
    sets: ["kubernetesGroups"],
    tagged: true,
    regional: true,
  },
  "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
    id: joined("#", "clusterName", "principalArn", "policyArn"),
    outputs: () => ({ associatedAt: MADE_AT, modifiedAt: MADE_AT }),
    replaces: ["accessScope", "clusterName", "policyArn", "principalArn"],
    tagged: false,
    regional: true,
  },
  "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
    id: (facts) =>
      `a-${digest(17, facts.urn, joined(":", "clusterName", "namespace", "serviceAccount")(facts))}`,
    outputs: (facts) => ({
      associationArn: arn(facts, "eks", `podidentityassociation/${input(facts, "clusterName")}/${facts.id}`),
      associationId: facts.id,
      externalId: `${facts.region}/123456789012/${input(facts, "clusterName")}/${facts.id}`,
    }),
    replaces: ["clusterName", "namespace", "serviceAccount"],
    tagged: true,
    regional: true,
  },
};

function nodeGroupName(facts: Facts): string {
  const prefix = textAt(facts.inputs, "nodeGroupNamePrefix");
  if (prefix === undefined) return input(facts, "nodeGroupName");
  // Terraform adds a time and a counter: 26 digits.
  return `${prefix}${digest(26, facts.urn, input(facts, "clusterName"), JSON.stringify(facts.inputs["instanceTypes"] ?? ""))}`;
}

/** AWS answers with both the id and the name, whichever of them was asked with. */
function launchTemplate(facts: Facts): ReturnType<typeof recordAt> {
  const given = recordAt(facts.inputs, "launchTemplate");
  const other = given["id"] === undefined ? "id" : "name";
  return { [other]: given[other] ?? previousOf(facts, other), ...given };
}

const previousOf = (facts: Facts, property: string): string =>
  textAt(facts.before?.outputs, "launchTemplate", property) ??
  (property === "id" ? `lt-0${digest(16, facts.id)}` : `simulated-${digest(8, facts.id)}`);

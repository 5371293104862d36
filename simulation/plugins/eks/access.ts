import { isList, isRecord, type Json, type JsonRecord, recordAt, textAt } from "../../json.ts";
import { referencedUrn, reveal } from "../../wire.ts";
import { arnOf, awsChild, type Build } from "./build.ts";
import { made, output, plain, type Registered, type Value } from "./monitor.ts";

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
  // JSON is YAML too; the real one writes it with js-yaml.
  const yaml = (key: string, list: readonly Json[]): string =>
    JSON.stringify(
      list.filter(isRecord).map(({ username, groups, ...rest }) => ({
        [key.toLowerCase()]: textAt(rest, key) ?? "",
        username,
        groups,
      })),
    );
  const mapRoles = made([mappings, ...roles.map(arnOf)], (given, ...arns) =>
    yaml("roleArn", [...(isList(given) ? given : []), ...arns.map((roleArn) => ({ roleArn, ...node }))]),
  );
  const mapUsers =
    users === undefined ? undefined : made([users], (given) => yaml("userArn", isList(given) ? given : []));
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

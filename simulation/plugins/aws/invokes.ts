import { isList, isRecord, type Json, type JsonRecord, listAt, textAt } from "../../json.ts";
import { digest } from "../identity.ts";
import { refuse } from "../provider.ts";
import { ACCOUNT } from "./model.ts";
import { partitionOf, zoneId, zonesOf } from "./regions.ts";

type Answer = (args: JsonRecord, region: string) => JsonRecord;

/** Look-ups that the program or @pulumi/eks makes, by token. */
const INVOKES: Readonly<Record<string, Answer>> = {
  "aws:index/getAvailabilityZones:getAvailabilityZones": (_, region) => {
    const names = zonesOf(region);
    return {
      id: region,
      region,
      names,
      zoneIds: names.map(zoneId),
      groupNames: [region],
      state: "available",
    };
  },
  "aws:index/getCallerIdentity:getCallerIdentity": (_, region) => ({
    id: ACCOUNT,
    accountId: ACCOUNT,
    arn: `arn:${partitionOf(region).partition}:iam::${ACCOUNT}:user/simulated`,
    userId: "AIDASIMULATED00000000",
  }),
  "aws:index/getPartition:getPartition": (_, region) => {
    const { partition, dnsSuffix } = partitionOf(region);
    return {
      id: partition,
      partition,
      dnsSuffix,
      reverseDnsPrefix: dnsSuffix.split(".").reverse().join("."),
    };
  },
  "aws:index/getRegion:getRegion": (args, region) => {
    const name = textAt(args, "name") ?? region;
    return {
      id: name,
      name,
      region: name,
      description: `simulated ${name}`,
      endpoint: `ec2.${name}.${partitionOf(name).dnsSuffix}`,
    };
  },
  "aws:iam/getPolicyDocument:getPolicyDocument": (args) => {
    const document = policyDocument(args);
    const json = JSON.stringify(document, null, 2);
    return { ...args, id: digest(10, json), json, minifiedJson: JSON.stringify(document) };
  },
  "aws:eks/getAddonVersion:getAddonVersion": (args) => ({
    ...args,
    id: textAt(args, "addonName") ?? "",
    // Not a version that exists: which are depends on the day. A program that is to be reviewed pins them.
    version: "v0.0.0-simulated.1",
  }),
  "aws:ssm/getParameter:getParameter": (args) => ({
    ...args,
    id: textAt(args, "name") ?? "",
    arn: "",
    type: "String",
    version: 1,
    value: `ami-0${digest(16, textAt(args, "name") ?? "")}`,
    insecureValue: `ami-0${digest(16, textAt(args, "name") ?? "")}`,
  }),
};

/** @throws PluginError for other tokens: an invented answer would be worse than none. */
export function invoke(token: string, args: JsonRecord, region: string): JsonRecord {
  const answer = INVOKES[token];
  return answer === undefined ? refuse("a look-up in AWS")(token) : answer(args, region);
}

/** A list of one is that one, as AWS writes policies. */
const oneOrMany = (list: readonly Json[]): Json => (list.length === 1 ? (list[0] ?? "") : list);

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html */
function policyDocument(args: JsonRecord): JsonRecord {
  return {
    Version: textAt(args, "version") ?? "2012-10-17",
    ...(args["policyId"] === undefined ? {} : { Id: args["policyId"] }),
    Statement: listAt(args, "statements").filter(isRecord).map(statement),
  };
}

function statement(from: JsonRecord): JsonRecord {
  const lists: readonly (readonly [string, string])[] = [
    ["Action", "actions"],
    ["NotAction", "notActions"],
    ["Resource", "resources"],
    ["NotResource", "notResources"],
  ];
  return {
    ...(from["sid"] === undefined ? {} : { Sid: from["sid"] }),
    Effect: from["effect"] ?? "Allow",
    ...Object.fromEntries(
      lists.flatMap(([name, property]): [string, Json][] => {
        const list = from[property];
        return isList(list) && list.length > 0 ? [[name, oneOrMany([...list].sort())]] : [];
      }),
    ),
    ...principals("Principal", listAt(from, "principals")),
    ...principals("NotPrincipal", listAt(from, "notPrincipals")),
    ...conditions(listAt(from, "conditions")),
  };
}

function principals(name: string, list: readonly Json[]): JsonRecord {
  if (list.length === 0) return {};
  const byType = list
    .filter(isRecord)
    .map((item): [string, Json] => [textAt(item, "type") ?? "", oneOrMany(listAt(item, "identifiers"))]);
  return { [name]: byType.some(([type]) => type === "*") ? "*" : Object.fromEntries(byType) };
}

function conditions(list: readonly Json[]): JsonRecord {
  if (list.length === 0) return {};
  const tests: Record<string, Record<string, Json>> = {};
  for (const item of list.filter(isRecord)) {
    const variables = (tests[textAt(item, "test") ?? ""] ??= {});
    variables[textAt(item, "variable") ?? ""] = oneOrMany(listAt(item, "values"));
  }
  return { Condition: tests };
}

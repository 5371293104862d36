import {
  allowed,
  type Document,
  documentsOf,
  hasDocuments,
  isEveryone,
  required,
  type Statement,
} from "../documents.ts";
import type { Problem, ResourceRule } from "../rule.ts";
import { isAbsent, isUnknown, read, texts, UNKNOWN } from "../values.ts";

/** Tags that mark what is ours, as the condition keys `aws:ResourceTag/<tag>`, `aws:RequestTag/<tag>` and those of single services name them. */
const OUR_TAG =
  /^([a-z0-9-]+:)?(Resource|Request)Tag\/(mayfly\.dev\/|k8s\.io\/cluster-autoscaler\/|kubernetes\.io\/cluster\/|eks:cluster-name$|aws:eks:cluster-name$)/i;

/** Actions that only look. */
const LOOKS = /^[a-z0-9-]+:(BatchCheck|BatchGet|Describe|Get|List)[A-Za-z*]*$/i;
/** Those of them that hand out data, secrets or credentials. */
const TAKES =
  /^(s3:Get(Object|\*)|secretsmanager:(Batch)?Get(Secret|\*)|ssm:Get(Parameter|\*)|dynamodb:(Batch)?Get|kinesis:Get|sts:Get(Federation|Session|\*))/i;

/** `*`, or an ARN whose last part, the thing itself, is nothing but `*`. */
const isAnything = (resource: string): boolean => /^(\*+|arn:([^:]*:){4}\*+)$/.test(resource);

/** `ec2:*`, `*:*` and what amounts to them. */
const isEverything = (action: string): boolean => /^([^:]*\*[^:]*|.*:\*+)$/.test(action);

const isOurs = ({ condition }: Statement): boolean => {
  const keys = required(condition);
  if (keys === UNKNOWN) return true;
  return [...keys].some(
    ([key, values]) =>
      OUR_TAG.test(key) && values.length > 0 && values.every((value) => !/^\**$/.test(value)),
  );
};

function identityProblems(statement: Statement): readonly Problem[] {
  const { path, actions, resources, inverted } = statement;
  if (inverted.length > 0)
    return [{ path: `${path}.${inverted.join()}`, message: "allows all but what it lists" }];
  if (actions.includes("*"))
    return [{ path: `${path}.Action`, message: "allows every action of every service" }];
  if (!resources.some(isAnything)) return [];
  const wide = actions.filter(isEverything);
  if (wide.length > 0)
    return [{ path: `${path}.Action`, message: `allows ${wide.join(", ")} on every resource` }];
  const changes = actions.filter((action) => !LOOKS.test(action) || TAKES.test(action));
  return changes.length === 0 || isOurs(statement)
    ? []
    : [
        {
          path: `${path}.Resource`,
          message: `allows ${changes.join(", ")} on every resource, without a condition on a tag of ours`,
        },
      ];
}

function trustProblems(statement: Statement): readonly Problem[] {
  const { path, principal, actions, condition, inverted } = statement;
  if (isEveryone(principal) || inverted.length > 0)
    return [{ path: `${path}.Principal`, message: "lets everyone take the role" }];
  const provider = read(principal, "Federated");
  if (isAbsent(provider) || isUnknown(provider) || !actions.includes("sts:AssumeRoleWithWebIdentity"))
    return [];
  const keys = required(condition);
  if (keys === UNKNOWN) return [];
  const subjects = [...keys].filter(([key]) => key.endsWith(":sub")).flatMap(([, values]) => values);
  return subjects.length > 0 && subjects.every(isNamed)
    ? []
    : [{ path: `${path}.Condition`, message: "lets every service account of the cluster take the role" }];
}

/** `system:serviceaccount:<namespace>:<account>`: a part of each may be left open, as where each run has a namespace, but not all of it. */
const isNamed = (subject: string): boolean =>
  subject
    .split(":")
    .slice(-2)
    .every((part) => !/^\**$/.test(part));

/** AWS calls a policy public if it lets everyone in without a condition; with one we leave the judgement to the reviewer. */
const resourceProblems = ({ path, principal, condition, inverted }: Statement): readonly Problem[] =>
  (isEveryone(principal) || inverted.includes("NotPrincipal")) && isAbsent(condition)
    ? [{ path: `${path}.Principal`, message: "lets everyone in" }]
    : [];

const CHECKS: Readonly<Record<Document["kind"], (statement: Statement) => readonly Problem[]>> = {
  identity: identityProblems,
  trust: trustProblems,
  resource: resourceProblems,
};

const ADMINISTRATOR = /:policy\/(AdministratorAccess|PowerUserAccess|IAMFullAccess)$/;

/** Managed policies of AWS that allow nearly everything. */
const managed = (props: Readonly<Record<string, unknown>>): readonly Problem[] =>
  ["policyArn", "managedPolicyArns"].flatMap((path) =>
    texts(props[path])
      .filter((arn) => ADMINISTRATOR.test(arn))
      .map((arn) => ({ path, message: `attaches ${arn.split("/").at(-1) ?? arn}` })),
  );

const ATTACHMENTS = new Set([
  "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  "aws:iam/userPolicyAttachment:UserPolicyAttachment",
  "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
]);

export const noWildcardIam: ResourceRule = {
  scope: "resource",
  name: "no-wildcard-iam",
  description:
    "Name the actions and the resources that a policy allows, and who may take a role. Every resource (*) is fine for actions that only look, or with a condition on a tag of ours.",
  url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html#grant-least-privilege",
  judges: (resource) => hasDocuments(resource) || ATTACHMENTS.has(resource.type),
  check: (resource) => [
    ...managed(resource.props),
    ...documentsOf(resource).flatMap((document) => {
      const statements = allowed(document);
      return statements === undefined
        ? [{ path: document.path, message: "is no policy document" }]
        : statements.flatMap((statement) => CHECKS[document.kind](statement));
    }),
  ],
};

import type { ResourceView } from "./resource.ts";
import { holdsUnknown, isAbsent, isMembers, isUnknown, items, read, texts, UNKNOWN } from "./values.ts";

/**
 * What a document of IAM is for. `identity`: what a principal may do. `trust`: who may become a role. `resource`: who may use one thing; `*` as
 * its resource is that thing.
 */
export type DocumentKind = "identity" | "trust" | "resource";

/** A document of a resource, not parsed. */
export interface Document {
  readonly kind: DocumentKind;
  readonly path: string;
  /** Text or object. */
  readonly value: unknown;
}

/** One statement that allows something. */
export interface Statement {
  readonly path: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Allows all but some. */
  readonly inverted: readonly ("NotAction" | "NotResource" | "NotPrincipal")[];
  readonly principal: unknown;
  readonly condition: unknown;
}

/** Where each type keeps its document. Endpoint policies are none of them: they narrow what other policies allow. */
const DOCUMENTS: Readonly<Record<string, Readonly<Record<string, DocumentKind>>>> = {
  "aws:iam/policy:Policy": { policy: "identity" },
  "aws:iam/rolePolicy:RolePolicy": { policy: "identity" },
  "aws:iam/userPolicy:UserPolicy": { policy: "identity" },
  "aws:iam/groupPolicy:GroupPolicy": { policy: "identity" },
  "aws:iam/role:Role": { assumeRolePolicy: "trust" },
  "aws:s3/bucketPolicy:BucketPolicy": { policy: "resource" },
  "aws:kms/key:Key": { policy: "resource" },
  "aws:kms/keyPolicy:KeyPolicy": { policy: "resource" },
  "aws:ecr/repositoryPolicy:RepositoryPolicy": { policy: "resource" },
  "aws:sqs/queue:Queue": { policy: "resource" },
  "aws:sqs/queuePolicy:QueuePolicy": { policy: "resource" },
  "aws:sns/topicPolicy:TopicPolicy": { policy: "resource" },
  "aws:secretsmanager/secretPolicy:SecretPolicy": { policy: "resource" },
};

export const hasDocuments = ({ type }: Pick<ResourceView, "type">): boolean => type in DOCUMENTS;

/** The documents of a resource that are known. */
export function documentsOf({ type, props }: Pick<ResourceView, "type" | "props">): readonly Document[] {
  const own = Object.entries(DOCUMENTS[type] ?? {}).map(([field, kind]) => ({
    kind,
    path: field,
    value: props[field],
  }));
  const inline = items(props["inlinePolicies"]).map(({ item, index }) => ({
    kind: "identity" as const,
    path: `inlinePolicies[${index}].policy`,
    value: read(item, "policy"),
  }));
  return [...own, ...inline].filter(({ value }) => !isAbsent(value) && !isUnknown(value) && value !== "");
}

/** The statements that allow something; undefined where the document can't be read. */
export function allowed({ path, value }: Document): readonly Statement[] | undefined {
  const document = typeof value === "string" ? parsed(value) : value;
  if (!isMembers(document)) return undefined;
  return items(document["Statement"]).flatMap(({ item, index }) => {
    if (read(item, "Effect") !== "Allow") return [];
    const inverted = (["NotAction", "NotResource", "NotPrincipal"] as const).filter(
      (field) => !isAbsent(read(item, field)),
    );
    return [
      {
        path: `${path}.Statement[${index}]`,
        actions: texts(read(item, "Action")),
        resources: texts(read(item, "Resource")),
        inverted,
        principal: read(item, "Principal"),
        condition: read(item, "Condition"),
      },
    ];
  });
}

function parsed(text: string): unknown {
  try {
    const document: unknown = JSON.parse(text);
    return document;
  } catch {
    return undefined;
  }
}

/** Anyone at all: `"*"`, or `{ "AWS": "*" }`. */
export const isEveryone = (principal: unknown): boolean =>
  principal === "*" || texts(read(principal, "AWS")).includes("*");

/**
 * Operators that hold for a request only if the key is in it and has one of the values. Those that end in `IfExists` also hold without it;
 * negated ones hold for everybody else (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
 */
const REQUIRING = /^(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like))$/;

/** Values that a condition requires one of, for each of its keys; {@link UNKNOWN} where the condition is not known. */
export function required(condition: unknown): ReadonlyMap<string, readonly string[]> | typeof UNKNOWN {
  if (isUnknown(condition)) return UNKNOWN;
  const found = new Map<string, readonly string[]>();
  if (!isMembers(condition)) return found;
  for (const [operator, keys] of Object.entries(condition)) {
    if (!REQUIRING.test(operator) || !isMembers(keys)) continue;
    for (const [key, value] of Object.entries(keys)) {
      if (holdsUnknown(value)) return UNKNOWN;
      found.set(key, texts(value));
    }
  }
  return found;
}

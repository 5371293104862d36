import { type Json, type JsonRecord, textAt } from "../../json.ts";
import { UNKNOWN_VALUE } from "../../wire.ts";
import { digest } from "../identity.ts";

/** The account that all of it is in: the one that AWS's own documentation uses. */
export const ACCOUNT = "123456789012";

/** What outputs follow from. */
export interface Facts {
  /** As AWS would name it, such as `vpc-0a1b2c3d4e5f60718`. */
  readonly id: string;
  readonly urn: string;
  readonly inputs: JsonRecord;
  /** What there was before an update. */
  readonly before: { readonly inputs: JsonRecord; readonly outputs: JsonRecord } | undefined;
  readonly region: string;
  /** `aws`, `aws-cn` or `aws-us-gov`. */
  readonly partition: string;
}

/** What is known of one type of resource. */
export interface Model {
  /** The id of a new one. */
  readonly id: (facts: Facts) => string;
  /** What AWS adds to the inputs; unknown while the resource is only previewed. */
  readonly outputs: (facts: Facts) => JsonRecord;
  /** What the provider adds by itself where the program says nothing; known in previews. */
  readonly defaults?: JsonRecord;
  /** Input paths whose change needs a new resource; `region` is one on all that have it. */
  readonly replaces: readonly string[];
  /** Input paths that need a new resource when they go, though they may change. */
  readonly replacesWhenRemoved?: readonly string[];
  /** Input paths of lists whose order does not count. */
  readonly sets?: readonly string[];
  /** The input that Pulumi makes up where the program does not say it. */
  readonly name?: {
    readonly property: string;
    readonly unless?: readonly string[];
    readonly lower?: boolean;
  };
  /** Whether it has `tags` and `tagsAll`. */
  readonly tagged: boolean;
  /** False for services without regions, such as IAM. */
  readonly regional: boolean;
  /** Outputs that change with the inputs at `path`s other than these: unknown in the preview of such an update. */
  readonly moving?: { readonly outputs: readonly string[]; readonly except: readonly string[] };
}

export type Models = Readonly<Record<string, Model>>;

/** The text of an input; the marker of an unknown one where it is neither. */
export const input = (facts: Facts, ...path: readonly (string | number)[]): string =>
  textAt(facts.inputs, ...path) ?? UNKNOWN_VALUE;

/** `vpc-0` and 16 digits, as EC2 makes ids. */
export const ec2Id =
  (prefix: string) =>
  ({ urn, inputs, region }: Facts): string =>
    `${prefix}-0${digest(16, urn, region, canonical(inputs))}`;

/** The id is the value of an input. */
export const idIs =
  (property: string) =>
  (facts: Facts): string =>
    input(facts, property);

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
export const arn = (facts: Facts, service: string, resource: string): string =>
  `arn:${facts.partition}:${service}:${facts.region}:${ACCOUNT}:${resource}`;

/** An ARN without region. */
export const globalArn = (facts: Facts, service: string, resource: string): string =>
  `arn:${facts.partition}:${service}::${ACCOUNT}:${resource}`;

/** JSON with sorted keys: the engine's properties come in any order. */
export const canonical = (value: Json): string =>
  JSON.stringify(value, (_, item: Json) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([left], [right]) => (left < right ? -1 : 1)))
      : item,
  );

export const NOTHING = (): JsonRecord => ({});

/** The moment at which all of it was made: outputs must not tell the time. */
export const MADE_AT = "2026-01-01T00:00:00Z";

// Boundary to @pulumi/policy: its properties are untyped and throw where a value is not known yet.
import {
  type PolicyResource,
  type ResourceValidationArgs,
  type ResourceValidationPolicy,
  type StackValidationPolicy,
  UnknownValueError,
} from "@pulumi/policy";
import { checkResource, checkStack, problemText } from "./evaluate.ts";
import { placeOf, type ResourceView } from "./resource.ts";
import type { ResourceRule, Rule, StackRule } from "./rule.ts";
import { UNKNOWN } from "./values.ts";

type PackPolicy = ResourceValidationPolicy | StackValidationPolicy;

/** The rule as the engine knows it. Each violation begins with the rule's description, to which ours adds what is wrong where. */
export const policyOf = (rule: Rule): PackPolicy =>
  rule.scope === "resource" ? resourcePolicy(rule) : stackPolicy(rule);

const common = ({ name, description, url }: Rule) => ({
  name,
  description,
  url,
  enforcementLevel: "mandatory" as const,
});

const resourcePolicy = (rule: ResourceRule): ResourceValidationPolicy => ({
  ...common(rule),
  validateResource: (args, report) => {
    if (!rule.judges(args)) return;
    for (const problem of checkResource(rule, viewOf(args))) report(problemText(problem));
  },
});

const stackPolicy = (rule: StackRule): StackValidationPolicy => ({
  ...common(rule),
  validateStack: ({ resources }, report) => {
    for (const { resource, ...problem } of checkStack(rule, resources.map(stackViewOf)))
      report(problemText(problem), resource.urn);
  },
});

function viewOf({
  urn,
  type,
  name,
  props,
  opts,
  provider,
}: ResourceValidationArgs | PolicyResource): ResourceView {
  return {
    urn,
    type,
    name,
    ...placeOf(urn),
    props: plain(props) as ResourceView["props"],
    protect: opts.protect,
    parent: opts.parent,
    defaultTags: provider?.type === "pulumi:providers:aws" ? defaultTags(plain(provider.props)) : undefined,
  };
}

const stackViewOf = (resource: PolicyResource): ResourceView => ({
  ...viewOf(resource),
  parent: resource.parent?.urn,
  propertyDependencies: Object.fromEntries(
    Object.entries(resource.propertyDependencies).map(([property, sources]) => [
      property,
      sources.map(({ urn }) => urn),
    ]),
  ),
});

/** A provider's nested settings are JSON text. */
function defaultTags(provider: unknown): unknown {
  const setting: unknown = (provider as Record<string, unknown>)["defaultTags"];
  const value: unknown =
    typeof setting === "string" && setting.startsWith("{") ? JSON.parse(setting) : setting;
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)["tags"] : value;
}

/** A copy with {@link UNKNOWN} for each value whose reading throws. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((_, index, list) => member(list, index));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, member(value, key)]));
}

function member(holder: object, key: PropertyKey): unknown {
  try {
    return plain(Reflect.get(holder, key));
  } catch (error) {
    if (error instanceof UnknownValueError) return UNKNOWN;
    throw error;
  }
}

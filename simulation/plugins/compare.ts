import { isList, isRecord, type Json, type JsonRecord, parseJson } from "../json.ts";
import { hasUnknown, reveal } from "../wire.ts";

/** One difference between two property bags. */
export interface Change {
  readonly path: readonly (string | number)[];
  readonly kind: "add" | "delete" | "update";
}

/** What a provider says of a resource whose inputs may have changed. */
export interface Comparison {
  readonly changes: readonly (Change & { readonly replaces: boolean })[];
  readonly deleteBeforeReplace: boolean;
}

export const UNCHANGED: Comparison = { changes: [], deleteBeforeReplace: false };

/** `a.b[0]["c.d"]`, the engine's own notation. */
export const showPath = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    if (!/^[\w$]+$/.test(step)) return `${text}[${JSON.stringify(step)}]`;
    return text === "" ? step : `${text}.${step}`;
  }, "");

/** Equal for a provider: a policy document with other white space or key order is the same one. */
function sameText(left: string, right: string): boolean {
  if (left === right) return true;
  const [before, after] = [parseJson(left), parseJson(right)];
  return before !== undefined && after !== undefined && changes(before, after, () => false).length === 0;
}

/** An order that does not count: https://developer.hashicorp.com/terraform/plugin/sdkv2/schemas/schema-types#typeset */
const sorted = (list: readonly Json[]): readonly Json[] =>
  [...list].sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));

/**
 * All differences, deepest first found. A value that is not known yet differs from any other.
 *
 * @param isSet Whether the list at a path is a set.
 */
export function changes(
  before: Json | undefined,
  after: Json | undefined,
  isSet: (path: readonly (string | number)[]) => boolean,
  path: readonly (string | number)[] = [],
): readonly Change[] {
  if (before === undefined) return after === undefined ? [] : [{ path, kind: "add" }];
  if (after === undefined) return [{ path, kind: "delete" }];
  if (isRecord(before) && isRecord(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => changes(before[key], after[key], isSet, [...path, key]));
  }
  if (isList(before) && isList(after)) {
    const [left, right] =
      isSet(path) && !hasUnknown(after) ? [sorted(before), sorted(after)] : [before, after];
    const length = Math.max(left.length, right.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) =>
      changes(left[index], right[index], isSet, [...path, index]),
    );
  }
  const same =
    typeof before === "string" && typeof after === "string" ? sameText(before, after) : before === after;
  return same ? [] : [{ path, kind: "update" }];
}

/** Whether `path` is `pattern` or below it. `*` in a pattern is any index or key. */
export const isUnder = (path: readonly (string | number)[], pattern: string): boolean => {
  const steps = pattern.split(".");
  return (
    steps.length <= path.length && steps.every((step, index) => step === "*" || step === String(path[index]))
  );
};

/** How two sets of inputs of one resource compare. Secrets are compared by value. */
export interface Rules {
  /** Paths, such as `vpcConfig.subnetIds` or `tags.*.key`, whose change needs a new resource. */
  readonly replaces: readonly string[];
  /** Paths of lists whose order does not count. */
  readonly sets?: readonly string[];
  /** Whether the old one must go first when a new one is needed. */
  readonly deleteBeforeReplace?: boolean;
}

export function compare(olds: JsonRecord, news: JsonRecord, rules: Rules): Comparison {
  const isSet = (path: readonly (string | number)[]): boolean =>
    (rules.sets ?? []).some((pattern) => pattern.split(".").length === path.length && isUnder(path, pattern));
  const found = changes(reveal(olds), reveal(news), isSet).map((change) => ({
    ...change,
    replaces: rules.replaces.some(
      (pattern) => isUnder(change.path, pattern) || isAbove(change.path, pattern),
    ),
  }));
  return {
    changes: found,
    deleteBeforeReplace: found.some(({ replaces }) => replaces) && rules.deleteBeforeReplace === true,
  };
}

/** A record that comes or goes whole takes the properties in it along. */
const isAbove = (path: readonly (string | number)[], pattern: string): boolean => {
  const steps = pattern.split(".");
  return (
    path.length < steps.length &&
    path.every((step, index) => steps[index] === "*" || steps[index] === String(step))
  );
};

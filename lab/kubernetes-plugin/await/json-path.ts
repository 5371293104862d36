import { at, equal, isList, isRecord, type Json } from "../json.ts";

/**
 * The part of kubectl's JSONPath that waits are written in: `{.status.phase}`, `.items[0]`, `['key']`, `[*]`, `.*` and
 * filters such as `[?(@.type=="Ready")]`. https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export type Selector =
  | { readonly type: "key"; readonly key: string }
  | { readonly type: "index"; readonly index: number }
  | { readonly type: "all" }
  | { readonly type: "filter"; readonly path: readonly string[]; readonly value: Json };

const STEP =
  /\.(?<key>[A-Za-z0-9_$/-]+(?:\\\.[A-Za-z0-9_$/-]+)*)|(?<every>\.\*|\[\*\])|\[(?<index>-?\d+)\]|\['(?<quoted>[^']+)'\]|\["(?<double>[^"]+)"\]|\[\?\(@(?<path>(?:\.[A-Za-z0-9_-]+)+)\s*==\s*(?<value>"[^"]*"|'[^']*'|[^)\s]+)\)\]/y;

/** A JSON literal, else the text itself. */
function literal(text: string): Json {
  const quoted = /^(["'])(.*)\1$/s.exec(text);
  if (quoted?.[2] !== undefined) return quoted[2];
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? number : text;
}

/** The steps of a path; undefined where it does not parse. */
export function parseJsonPath(text: string): readonly Selector[] | undefined {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  const path = inner.startsWith(".") || inner.startsWith("[") ? inner : `.${inner}`;
  const selectors: Selector[] = [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < path.length) {
    const groups = STEP.exec(path)?.groups;
    if (groups === undefined) return undefined;
    const { key, every, index, quoted, double, path: filter, value } = groups;
    if (key !== undefined) selectors.push({ type: "key", key: key.replaceAll("\\.", ".") });
    else if (every !== undefined) selectors.push({ type: "all" });
    else if (index !== undefined) selectors.push({ type: "index", index: Number(index) });
    else if (filter !== undefined && value !== undefined)
      selectors.push({ type: "filter", path: filter.slice(1).split("."), value: literal(value) });
    else selectors.push({ type: "key", key: quoted ?? double ?? "" });
  }
  return selectors.length > 0 ? selectors : undefined;
}

function select(value: Json, selector: Selector): readonly Json[] {
  switch (selector.type) {
    case "key": {
      const found = at(value, selector.key);
      return found === undefined ? [] : [found];
    }
    case "index": {
      const found = isList(value) ? value.at(selector.index) : undefined;
      return found === undefined ? [] : [found];
    }
    case "all":
      if (isList(value)) return value;
      return isRecord(value) ? Object.values(value) : [];
    case "filter":
      return isList(value) ? value.filter((item) => equal(at(item, ...selector.path), selector.value)) : [];
  }
}

/** Everything that the path matches in `value`. */
export const query = (value: Json, selectors: readonly Selector[]): readonly Json[] =>
  selectors.reduce<readonly Json[]>(
    (found, selector) => found.flatMap((item) => select(item, selector)),
    [value],
  );

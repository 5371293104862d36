/** What a Kubernetes object or a Pulumi property bag is once it is parsed. */
export type Json = null | boolean | number | string | readonly Json[] | JsonRecord;

/** A JSON object. */
export interface JsonRecord {
  readonly [key: string]: Json;
}

/** One step into a value: a key of a record or an index of a list. */
export type Step = string | number;

export const isRecord = (value: Json | undefined): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The value at `path`, or undefined where any step of it is missing. */
export function at(value: Json | undefined, ...path: readonly Step[]): Json | undefined {
  let current = value;
  for (const step of path) {
    if (typeof step === "number") current = isList(current) ? current[step] : undefined;
    else current = isRecord(current) && Object.hasOwn(current, step) ? current[step] : undefined;
  }
  return current;
}

/** The text at `path`; undefined where there is none or it is not text. */
export function textAt(value: Json | undefined, ...path: readonly Step[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** The number at `path`, or `fallback`. */
export function numberAt(value: Json | undefined, path: readonly Step[], fallback = 0): number {
  const found = at(value, ...path);
  return typeof found === "number" ? found : fallback;
}

/** The list at `path`; empty where there is none. */
export function listAt(value: Json | undefined, ...path: readonly Step[]): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** The record at `path`; empty where there is none. */
export function recordAt(value: Json | undefined, ...path: readonly Step[]): JsonRecord {
  const found = at(value, ...path);
  return isRecord(found) ? found : {};
}

/** A value as people write it: text as it stands, else JSON. */
export const show = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

/** Deep equality; the order of a record's keys does not count. */
export function equal(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (isList(left))
    return (
      isList(right) && left.length === right.length && left.every((item, index) => equal(item, right[index]))
    );
  if (!isRecord(left) || !isRecord(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key], right[key]))
  );
}

/** A copy of `value` with `next` at `path`, making the records on the way; undefined removes what is there. */
export function put(value: JsonRecord, path: readonly string[], next: Json | undefined): JsonRecord {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (rest.length > 0) {
    const inner = value[key];
    if (next === undefined && !isRecord(inner)) return value;
    return { ...value, [key]: put(isRecord(inner) ? inner : {}, rest, next) };
  }
  if (next !== undefined) return { ...value, [key]: next };
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

/** Rewrites the keys of every record in `value`. */
export function renameKeys(value: Json, rename: (key: string) => string): Json {
  if (isList(value)) return value.map((item) => renameKeys(item, rename));
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [rename(key), renameKeys(item, rename)]),
  );
}

/** Removes record entries that are null: Pulumi's way to say that a property is not set. */
export function withoutNulls(value: Json): Json {
  if (isList(value)) return value.map(withoutNulls);
  if (!isRecord(value)) return value;
  const entries: [string, Json][] = [];
  for (const [key, item] of Object.entries(value)) if (item !== null) entries.push([key, withoutNulls(item)]);
  return Object.fromEntries(entries);
}

// Boundary: JSON text is what it is.
import type { Json, JsonRecord } from "./types.ts";

export type { Json, JsonRecord } from "./types.ts";

export const isRecord = (value: Json | undefined): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value);

/** The value at `path`, or undefined where any step of it is missing. */
export function at(value: Json | undefined, ...path: readonly (string | number)[]): Json | undefined {
  let current = value;
  for (const step of path) {
    if (typeof step === "number") current = isList(current) ? current[step] : undefined;
    else current = isRecord(current) && Object.hasOwn(current, step) ? current[step] : undefined;
  }
  return current;
}

/** The text at `path`; undefined where there is none or it is not text. */
export function textAt(value: Json | undefined, ...path: readonly (string | number)[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === "string" ? found : undefined;
}

/** The list at `path`; empty where there is none. */
export function listAt(value: Json | undefined, ...path: readonly (string | number)[]): readonly Json[] {
  const found = at(value, ...path);
  return isList(found) ? found : [];
}

/** The record at `path`; empty where there is none. */
export function recordAt(value: Json | undefined, ...path: readonly (string | number)[]): JsonRecord {
  const found = at(value, ...path);
  return isRecord(found) ? found : {};
}

/** A copy of `value` with `next` at `path`, making the records on the way. */
export function put(value: JsonRecord, path: readonly string[], next: Json): JsonRecord {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return { ...value, [key]: rest.length === 0 ? next : put(recordAt(value, key), rest, next) };
}

/** Without the keys. */
export const omit = (value: JsonRecord, keys: ReadonlySet<string>): JsonRecord =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !keys.has(key)));

/** A value as text: as it stands where it is text, else as JSON. */
export const show = (value: Json | undefined): string =>
  typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);

/** What a text holds if it is JSON of an object or a list; undefined for anything else. */
export function parseJson(text: string): Json | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

import { parsePath } from "./diff.ts";
import { at, equal, isRecord, type Json, type JsonRecord, put, recordAt, type Step, show } from "./json.ts";
import { ownerOf } from "./managed-fields.ts";

/**
 * What is sent to the server. A Secret's `stringData` becomes `data` here, as the server would do it: server-side apply
 * can't follow fields that never come back, so a key dropped from `stringData` would stay.
 * https://kubernetes.io/docs/concepts/configuration/secret/#restriction-names-data
 */
export function bodyOf(inputs: JsonRecord): JsonRecord {
  const text = inputs["stringData"];
  if (inputs["kind"] !== "Secret" || inputs["apiVersion"] !== "v1" || !isRecord(text)) return inputs;
  const encoded = Object.entries(text).map(([key, value]): [string, Json] => [
    key,
    Buffer.from(show(value), "utf8").toString("base64"),
  ]);
  return put(
    { ...inputs, data: { ...recordAt(inputs, "data"), ...Object.fromEntries(encoded) } },
    ["stringData"],
    undefined,
  );
}

const isKeys = (path: readonly Step[]): path is readonly string[] =>
  path.every((step) => typeof step === "string" && step !== "*");

/**
 * The body without changing what `ignoreChanges` names: a field that only others own is left out (applying it would be
 * a conflict), one of ours keeps its live value. Paths into lists are left to the engine.
 */
export function withIgnored(
  body: JsonRecord,
  live: JsonRecord,
  ignoreChanges: readonly string[],
  manager: string,
): JsonRecord {
  return ignoreChanges.map(parsePath).reduce<JsonRecord>((current, path) => {
    const value = at(live, ...path);
    if (!isKeys(path) || value === undefined || equal(at(current, ...path), value)) return current;
    return put(current, path, ownerOf(live, path, manager) === "theirs" ? undefined : value);
  }, body);
}

/** An RFC 7386 merge patch from one object to another; used without server-side apply. */
export function mergePatch(before: JsonRecord, after: JsonRecord): JsonRecord {
  const entries: [string, Json][] = [];
  for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const old = before[key];
    const next = after[key];
    if (next === undefined) entries.push([key, null]);
    else if (isRecord(old) && isRecord(next)) {
      const inner = mergePatch(old, next);
      if (Object.keys(inner).length > 0) entries.push([key, inner]);
    } else if (!equal(old, next)) entries.push([key, next]);
  }
  return Object.fromEntries(entries);
}

/** Values of a dry run that the real run will give anew. */
const RANDOM: readonly (readonly string[])[] = [
  ["status"],
  ["metadata", "creationTimestamp"],
  ["metadata", "generation"],
  ["metadata", "managedFields"],
  ["metadata", "resourceVersion"],
  ["metadata", "uid"],
  ["spec", "clusterIP"],
  ["spec", "clusterIPs"],
];

/** What a dry run tells of an object that is to be created, without what will be different for real. */
export const previewOf = (object: JsonRecord, inputs: JsonRecord): JsonRecord =>
  RANDOM.filter((path) => at(inputs, ...path) === undefined).reduce<JsonRecord>(
    (current, path) => put(current, path, undefined),
    object,
  );

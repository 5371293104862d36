import { equal, isList, isRecord, type Json, type JsonRecord, put, recordAt } from "./json.ts";

/**
 * The inputs that would make the object what it is now: each input whose live value is what it was after the last
 * update stays as the program wrote it (the server may have written `1000m` as `1`, and that is no drift), each that
 * has changed since is taken from the live object. Fields that the program does not set are left to their owners.
 *
 * @param before The live object as the state has it.
 * @param now The live object as it is.
 */
export function inputsWithDrift(inputs: JsonRecord, before: JsonRecord, now: JsonRecord): JsonRecord {
  const drifted = driftOfRecord(inputs, before, now);
  const text = inputs["stringData"];
  return isRecord(text) ? { ...drifted, stringData: driftOfText(text, before, now) } : drifted;
}

function driftOfRecord(inputs: JsonRecord, before: JsonRecord, now: JsonRecord): JsonRecord {
  const entries: [string, Json][] = [];
  for (const [key, input] of Object.entries(inputs)) {
    const value = driftOf(input, before[key], now[key]);
    if (value !== undefined) entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function driftOf(input: Json, before: Json | undefined, now: Json | undefined): Json | undefined {
  if (equal(before, now)) return input;
  if (now === undefined) return undefined;
  if (isRecord(input) && isRecord(now)) return driftOfRecord(input, isRecord(before) ? before : {}, now);
  if (isList(input) && isList(now)) {
    const old = isList(before) ? before : [];
    if (old.length === now.length && input.length === now.length)
      return input.map((item, index) => driftOf(item, old[index], now[index]) ?? item);
    return now.map((item, index) => shapedLike(item, input[index]));
  }
  return now;
}

/** `value` without what `shape` does not have, so that a list that grew does not bring the server's defaults along. */
function shapedLike(value: Json, shape: Json | undefined): Json {
  if (!isRecord(value) || !isRecord(shape)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => Object.hasOwn(shape, key))
      .map(([key, item]) => [key, shapedLike(item, shape[key])]),
  );
}

/** A Secret's `stringData` never comes back: what it holds is found, in base64, in `data`. */
function driftOfText(text: JsonRecord, before: JsonRecord, now: JsonRecord): JsonRecord {
  const old = recordAt(before, "data");
  const live = recordAt(now, "data");
  const entries: [string, Json][] = [];
  for (const [key, value] of Object.entries(text)) {
    const current = live[key];
    if (equal(old[key], current)) entries.push([key, value]);
    else if (typeof current === "string")
      entries.push([key, Buffer.from(current, "base64").toString("utf8")]);
  }
  return Object.fromEntries(entries);
}

/** Fields of an object that only the server writes. */
const SERVER_METADATA = new Set([
  "creationTimestamp",
  "deletionGracePeriodSeconds",
  "deletionTimestamp",
  "generation",
  "managedFields",
  "resourceVersion",
  "selfLink",
  "uid",
]);

const SERVER_ANNOTATIONS = new Set([
  "deployment.kubernetes.io/revision",
  "kubectl.kubernetes.io/last-applied-configuration",
]);

/** What a program would have to say to describe an object that was made without Pulumi: used by an import. */
export function inputsOfLive(live: JsonRecord): JsonRecord {
  const rest = put(live, ["status"], undefined);
  const metadata = rest["metadata"];
  if (!isRecord(metadata)) return rest;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_METADATA.has(key));
  const cleaned: [string, Json][] = [];
  for (const [key, value] of kept) {
    if (key !== "annotations" || !isRecord(value)) cleaned.push([key, value]);
    else {
      const own = Object.entries(value).filter(([name]) => !SERVER_ANNOTATIONS.has(name));
      if (own.length > 0) cleaned.push([key, Object.fromEntries(own)]);
    }
  }
  return { ...rest, metadata: Object.fromEntries(cleaned) };
}

/** Inputs without what a program can't set. */
export function withoutServerFields(inputs: JsonRecord): JsonRecord {
  const metadata = inputs["metadata"];
  if (!isRecord(metadata) || !Object.keys(metadata).some((key) => SERVER_METADATA.has(key))) return inputs;
  const kept = Object.entries(metadata).filter(([key]) => !SERVER_METADATA.has(key));
  return { ...inputs, metadata: Object.fromEntries(kept) };
}

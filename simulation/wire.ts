import { isList, isRecord, type Json, type JsonRecord } from "./json.ts";

/**
 * How Pulumi marks a value that is more than JSON.
 * https://github.com/pulumi/pulumi/blob/master/developer-docs/architecture/deployment-execution/resource-registration.md
 */
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e";

/** A text that is not known yet; the engine has one marker per type of value, and this one by far the most. */
export const UNKNOWN_VALUE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const UNKNOWN_VALUES = new Set([
  UNKNOWN_VALUE,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

export const isUnknown = (value: Json | undefined): boolean =>
  typeof value === "string" && UNKNOWN_VALUES.has(value);

/** Whether `value` is, or anywhere holds, a value that is only known after the update. */
export function hasUnknown(value: Json | undefined): boolean {
  if (typeof value === "string") return UNKNOWN_VALUES.has(value);
  if (isList(value)) return value.some(hasUnknown);
  return isRecord(value) && Object.values(value).some(hasUnknown);
}

const isSecret = (value: JsonRecord): boolean => value[SIGNATURE] === SECRET_SIGNATURE;

export const secret = (value: Json): JsonRecord => ({ [SIGNATURE]: SECRET_SIGNATURE, value });

/** A link to a resource, from which the program's SDK makes a live object again. */
export const resourceReference = (urn: string, id: string, packageVersion: string): JsonRecord => ({
  [SIGNATURE]: RESOURCE_SIGNATURE,
  urn,
  id,
  packageVersion,
});

/** Where a {@link resourceReference} points to; undefined for anything else. */
export function referencedUrn(value: Json | undefined): string | undefined {
  if (!isRecord(value) || value[SIGNATURE] !== RESOURCE_SIGNATURE) return undefined;
  return typeof value["urn"] === "string" ? value["urn"] : undefined;
}

/** The value without the marks of secrets. Only to look at: what is kept or sent keeps its marks. */
export function reveal(value: Json): Json {
  if (isList(value)) return value.map(reveal);
  if (!isRecord(value)) return value;
  return isSecret(value) ? reveal(value["value"] ?? null) : revealRecord(value);
}

export const revealRecord = (value: JsonRecord): JsonRecord =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, reveal(item)]));

/** Without record entries that are null: Pulumi's way to say that a property is not set. */
export const withoutNulls = (value: JsonRecord): JsonRecord =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));

/** Replaces each marked value by the text that stands for it in what we print and hand out. */
export function masked(value: Json, marks: { readonly secret: string; readonly unknown: string }): Json {
  if (isList(value)) return value.map((item) => masked(item, marks));
  if (isUnknown(value)) return marks.unknown;
  if (!isRecord(value)) return value;
  if (isSecret(value)) return marks.secret;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, marks)]));
}

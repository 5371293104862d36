import { isList, isRecord, type Json, type JsonRecord, type Step } from "./json.ts";

/**
 * How Pulumi marks a value that is more than JSON.
 * https://github.com/pulumi/pulumi/blob/master/developer-docs/architecture/deployment-execution/resource-registration.md
 */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** One marker per type of value that is not known yet; the string one is by far the most used. */
const UNKNOWN = new Set([
  "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
  "030794c1-ac77-496b-92df-f27374a8bd58",
  "e48ece36-62e2-4504-bad9-02848725956a",
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A property bag apart from its secrecy: the plain value, and where in it the secrets are. */
export interface Properties {
  readonly value: JsonRecord;
  /** Each path ends at the outermost list on the way: a secret item makes its whole list secret, for items move. */
  readonly secrets: readonly (readonly string[])[];
}

export const NO_PROPERTIES: Properties = { value: {}, secrets: [] };

/** Whether `value` is, or anywhere holds, a value that is only known after the update. */
export function hasUnknown(value: Json | undefined): boolean {
  if (typeof value === "string") return UNKNOWN.has(value);
  if (isList(value)) return value.some(hasUnknown);
  return isRecord(value) && Object.values(value).some(hasUnknown);
}

/** Splits what came over the wire into plain values and the places of secrets; entries that are null are left out. */
export function decode(wire: JsonRecord): Properties {
  const secrets: string[][] = [];
  const plain = (value: Json, path: readonly Step[]): Json => {
    if (isList(value)) return value.map((item, index) => plain(item, [...path, index]));
    if (!isRecord(value)) return value;
    if (value[SIGNATURE] === SECRET) {
      const cut = path.findIndex((step) => typeof step === "number");
      secrets.push((cut === -1 ? path : path.slice(0, cut)).map(String));
      return plain(value["value"] ?? null, path);
    }
    return plainRecord(value, path);
  };
  const plainRecord = (value: JsonRecord, path: readonly Step[]): JsonRecord => {
    const entries: [string, Json][] = [];
    for (const [key, item] of Object.entries(value)) {
      const inner = plain(item, [...path, key]);
      if (inner !== null) entries.push([key, inner]);
    }
    return Object.fromEntries(entries);
  };
  return { value: plainRecord(wire, []), secrets };
}

/** The opposite of {@link decode}. Paths that `value` does not have are ignored. */
export function encode({ value, secrets }: Properties): JsonRecord {
  const marked = (current: Json, paths: readonly (readonly string[])[]): Json => {
    if (paths.some((path) => path.length === 0)) return { [SIGNATURE]: SECRET, value: current };
    return isRecord(current) ? markedRecord(current, paths) : current;
  };
  const markedRecord = (current: JsonRecord, paths: readonly (readonly string[])[]): JsonRecord =>
    Object.fromEntries(
      Object.entries(current).map(([key, item]) => {
        const inner = paths.filter((path) => path[0] === key).map((path) => path.slice(1));
        return [key, inner.length === 0 ? item : marked(item, inner)];
      }),
    );
  return markedRecord(value, secrets);
}

import { isRecord, type JsonRecord, put, recordAt, renameKeys, textAt } from "./json.ts";
import type { Properties } from "./wire.ts";

/**
 * What a resource's state says. The layout is the official plugin's (the live object, and beside it the inputs, the
 * first API version and the field manager), so that each plugin can go on with a stack that the other one made.
 */
export interface Checkpoint {
  /** The object as the program describes it. */
  readonly inputs: JsonRecord;
  /** The object as the server last returned it. */
  readonly live: JsonRecord;
  /** Where in `inputs` and `live` the secrets are. */
  readonly secrets: Properties["secrets"];
  readonly fieldManager: string | undefined;
  readonly initialApiVersion: string | undefined;
}

const INPUTS = "__inputs";
const FIELD_MANAGER = "__fieldManager";
const INITIAL_API_VERSION = "__initialApiVersion";

/** The SDK's languages can't all have `-` in names, so the schema of a CRD says `x_kubernetes_…`. */
const toDashes = (key: string): string => (key.startsWith("x_kubernetes_") ? key.replaceAll("_", "-") : key);
const toUnderscores = (key: string): string =>
  key.startsWith("x-kubernetes-") ? key.replaceAll("-", "_") : key;

function renamed({ value, secrets }: Properties, rename: (key: string) => string): Properties {
  const result = renameKeys(value, rename);
  return { value: isRecord(result) ? result : value, secrets: secrets.map((path) => path.map(rename)) };
}

/** Properties as the API server names them. */
export const toApi = (properties: Properties): Properties => renamed(properties, toDashes);
/** Properties as the SDK names them. */
export const toSdk = (properties: Properties): Properties => renamed(properties, toUnderscores);

const LAST_APPLIED = ["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];

/** Without what would only make the state large, and without the clear text that kubectl leaves on a Secret. */
function trimmed(live: JsonRecord): JsonRecord {
  const slim = put(live, ["metadata", "managedFields"], undefined);
  return slim["kind"] === "Secret" ? put(slim, LAST_APPLIED, undefined) : slim;
}

/** Where an object's secrets are: where the program put secrets, and all data of a Secret. */
export function secretPaths(
  object: JsonRecord,
  secrets: Properties["secrets"],
): readonly (readonly string[])[] {
  if (object["kind"] !== "Secret" || object["apiVersion"] !== "v1") return secrets;
  return [
    ...secrets.filter(([first]) => first !== "data" && first !== "stringData"),
    ["data"],
    ["stringData"],
  ];
}

/** The state to keep, as the SDK names things. */
export function saveCheckpoint(checkpoint: Checkpoint): Properties {
  const secrets = secretPaths(checkpoint.live, checkpoint.secrets);
  return toSdk({
    value: {
      ...trimmed(checkpoint.live),
      [INPUTS]: checkpoint.inputs,
      ...(checkpoint.initialApiVersion === undefined
        ? {}
        : { [INITIAL_API_VERSION]: checkpoint.initialApiVersion }),
      ...(checkpoint.fieldManager === undefined ? {} : { [FIELD_MANAGER]: checkpoint.fieldManager }),
    },
    secrets: [...secrets, ...secrets.map((path) => [INPUTS, ...path])],
  });
}

/** Reads a state that either plugin saved; an empty one gives an empty checkpoint. */
export function loadCheckpoint(state: Properties): Checkpoint {
  const { value, secrets } = toApi(state);
  const internal = new Set([INPUTS, FIELD_MANAGER, INITIAL_API_VERSION]);
  return {
    inputs: recordAt(value, INPUTS),
    live: Object.fromEntries(Object.entries(value).filter(([key]) => !internal.has(key))),
    secrets: secrets.filter(([first]) => !internal.has(first ?? "")),
    fieldManager: textAt(value, FIELD_MANAGER),
    initialApiVersion: textAt(value, INITIAL_API_VERSION),
  };
}

import { isRecord } from "./problem.ts";

type Schema = Readonly<Record<string, unknown>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Whether a branch of a union may be meant by a value: none of its constant fields contradicts it. */
const mayMean = (branch: Schema, value: unknown): boolean =>
  !isRecord(value) ||
  !isRecord(branch["properties"]) ||
  Object.entries(branch["properties"]).every(
    ([name, field]) =>
      !isRecord(field) || !("const" in field) || !(name in value) || field["const"] === value[name],
  );

/** A schema's branches, with references followed. */
function branches(root: Schema, schema: unknown, value: unknown): readonly Schema[] {
  if (!isRecord(schema)) return [];
  const reference = schema["$ref"];
  if (typeof reference === "string") {
    const target = reference
      .replace(/^#\/?/, "")
      .split("/")
      .filter((part) => part !== "")
      .reduce<unknown>((inner, part) => (isRecord(inner) ? inner[part] : undefined), root);
    return branches(root, target, value);
  }
  const options = [...list(schema["oneOf"]), ...list(schema["anyOf"])];
  if (options.length === 0) return [schema];
  const all = options.flatMap((option) => branches(root, option, value));
  const meant = all.filter((branch) => mayMean(branch, value));
  return meant.length === 0 ? all : meant;
}

/** What a JSON Schema says about the place at `path`, as far as the document tells which branch of a union is meant. */
export function schemasAt(root: Schema, document: unknown, path: readonly PropertyKey[]): readonly Schema[] {
  let value: unknown = document;
  let schemas = branches(root, root, value);
  for (const part of path) {
    value = isRecord(value) ? value[String(part)] : Array.isArray(value) ? value[Number(part)] : undefined;
    schemas = schemas.flatMap((schema) => {
      const properties = schema["properties"];
      const next =
        typeof part === "number"
          ? schema["items"]
          : isRecord(properties) && String(part) in properties
            ? properties[String(part)]
            : schema["additionalProperties"];
      return branches(root, next, value);
    });
  }
  return schemas;
}

/** Names of the fields that may stand at a path. */
export const fieldsAt = (root: Schema, document: unknown, path: readonly PropertyKey[]): string[] => [
  ...new Set(
    schemasAt(root, document, path).flatMap(({ properties }) =>
      isRecord(properties) ? Object.keys(properties) : [],
    ),
  ),
];

/** The description of a place; undefined where it has none. */
export function describe(root: Schema, document: unknown, path: readonly PropertyKey[]): string | undefined {
  const parent = schemasAt(root, document, path.slice(0, -1));
  const last = path.at(-1);
  for (const { properties } of parent) {
    const field = isRecord(properties) ? properties[String(last)] : undefined;
    if (isRecord(field) && typeof field["description"] === "string") return field["description"];
  }
  return undefined;
}

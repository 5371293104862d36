/** The parts of a Pulumi URN that say which object a resource is. */
export interface ResourceType {
  /** Such as `apps/v1`, or `v1` for the core group. */
  readonly apiVersion: string;
  readonly kind: string;
  /** A `…Patch` resource owns some fields of an object that somebody else made. */
  readonly patch: boolean;
  /** The resource's name in the program. */
  readonly name: string;
}

/**
 * Reads `urn:pulumi:<stack>::<project>::<parents$>kubernetes:<group>/<version>:<Kind>::<name>`.
 *
 * @returns undefined where the type is none of a Kubernetes object, such as `kubernetes:helm.sh/v3:Release` or a provider.
 */
export function parseUrn(urn: string): ResourceType | undefined {
  const [, , qualified = "", ...name] = urn.split("::");
  const [packageName, module, typeName] = (qualified.split("$").at(-1) ?? "").split(":");
  const [group, version, ...rest] = (module ?? "").split("/");
  if (packageName !== "kubernetes" || !group || !version || !typeName || rest.length > 0) return undefined;
  if (UNSUPPORTED.has(group)) return undefined;
  const patch = typeName.length > "Patch".length && typeName.endsWith("Patch");
  return {
    apiVersion: group === "core" ? version : `${group}/${version}`,
    kind: patch ? typeName.slice(0, -"Patch".length) : typeName,
    patch,
    name: name.join("::"),
  };
}

/** What the official plugin adds to the objects of the API server, and the stand-in does not have. */
const UNSUPPORTED = new Set(["helm.sh", "yaml", "kustomize"]);

/** `namespace/name`, or `name` for an object without a namespace: the id that both plugins give a resource. */
export const idOf = (namespace: string | undefined, name: string): string =>
  namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;

/** The opposite of {@link idOf}. */
export function parseId(id: string): { readonly namespace: string | undefined; readonly name: string } {
  const slash = id.indexOf("/");
  return slash === -1
    ? { namespace: undefined, name: id }
    : { namespace: id.slice(0, slash), name: id.slice(slash + 1) };
}

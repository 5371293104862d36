import { type Json, textAt } from "./json.ts";

/** Annotations that steer the provider. https://www.pulumi.com/registry/packages/kubernetes/installation-configuration/ */
export const AUTONAMED = "pulumi.com/autonamed";
const SKIP_AWAIT = "pulumi.com/skipAwait";
const WAIT_FOR = "pulumi.com/waitFor";
const TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds";
const PATCH_FORCE = "pulumi.com/patchForce";
const PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager";
const REPLACE_UNREADY = "pulumi.com/replaceUnready";
const DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy";

const annotation = (object: Json, name: string): string | undefined =>
  textAt(object, "metadata", "annotations", name);

export const isAutonamed = (object: Json): boolean => annotation(object, AUTONAMED) === "true";
export const skipsAwait = (object: Json): boolean => annotation(object, SKIP_AWAIT) === "true";
export const replacesUnready = (object: Json): boolean => annotation(object, REPLACE_UNREADY) === "true";
export const forcesPatch = (object: Json): boolean => annotation(object, PATCH_FORCE) === "true";
export const waitForOf = (object: Json): string | undefined => annotation(object, WAIT_FOR);

/** The name that the object's fields are owned under, where the program chose one. */
export const fieldManagerOf = (object: Json): string | undefined => annotation(object, PATCH_FIELD_MANAGER);

/** How dependents go when the object is deleted. */
export type Propagation = "Foreground" | "Background" | "Orphan";

export function propagationOf(object: Json): Propagation {
  switch (annotation(object, DELETION_PROPAGATION)?.toLowerCase() ?? "") {
    case "orphan":
      return "Orphan";
    case "background":
      return "Background";
    default:
      return "Foreground";
  }
}

/**
 * How long to wait, in milliseconds: `customTimeouts` of the resource, else its annotation, else `fallback`.
 *
 * @param customSeconds 0 where the program set none.
 */
export function timeoutOf(object: Json, customSeconds: number, fallback: number): number {
  if (customSeconds > 0) return customSeconds * 1000;
  const seconds = Number(annotation(object, TIMEOUT_SECONDS) ?? Number.NaN);
  return Number.isInteger(seconds) && seconds > 0 ? seconds * 1000 : fallback;
}

import { createHash, randomBytes } from "node:crypto";
import { AUTONAMED, isAutonamed } from "./annotations.ts";
import { at, type JsonRecord, put, textAt } from "./json.ts";

/** What the engine asks of automatic names. https://www.pulumi.com/docs/iac/concepts/resources/names/ */
export type Autonaming =
  | { readonly mode: "propose" | "enforce"; readonly name: string }
  | { readonly mode: "disabled" };

const hex8 = (seed: Uint8Array): string =>
  seed.length > 0
    ? createHash("sha256").update(seed).digest("hex").slice(0, 8)
    : randomBytes(4).toString("hex");

/** An owner's name for server-side apply that no other resource has. */
export const newFieldManager = (): string => `pulumi-kubernetes-${hex8(new Uint8Array())}`;

/** The object with a name, or why it can't get one. */
export type Named = { readonly object: JsonRecord } | { readonly failure: string };

/**
 * Names an object that the program left without a name: the old automatic name if there is one, else
 * `<resource name>-<8 hex digits>` from the engine's seed, so that a preview and its update agree.
 */
export function autoname(
  object: JsonRecord,
  old: JsonRecord | undefined,
  resourceName: string,
  seed: Uint8Array,
  autonaming: Autonaming | undefined,
): Named {
  if (
    at(object, "metadata", "name") !== undefined ||
    textAt(object, "metadata", "generateName") !== undefined
  )
    return { object };
  const kept = old !== undefined && isAutonamed(old) ? textAt(old, "metadata", "name") : undefined;
  if (kept === undefined && autonaming?.mode === "disabled")
    return { failure: "automatic naming is disabled for this project, so metadata.name must be set" };
  const proposed = autonaming !== undefined && autonaming.mode !== "disabled" ? autonaming.name : undefined;
  const name = kept ?? proposed ?? `${resourceName}-${hex8(seed)}`;
  return {
    object: put(put(object, ["metadata", "name"], name), ["metadata", "annotations", AUTONAMED], "true"),
  };
}

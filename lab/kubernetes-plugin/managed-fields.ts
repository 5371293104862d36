import { at, isRecord, type Json, type JsonRecord, listAt, recordAt, type Step, textAt } from "./json.ts";

/** Names under which objects were written before server-side apply took over: Pulumi's own and kubectl's classic apply. */
const FORMER_OWNERS = new Set([
  "before-first-apply",
  "kubectl-client-side-apply",
  "pulumi-kubernetes",
  "pulumi-kubernetes.exe",
  "pulumi-resource-kubernetes",
]);

function merged(left: Json | undefined, right: Json | undefined): Json {
  if (!isRecord(left)) return right ?? left ?? {};
  if (!isRecord(right)) return left;
  const entries = Object.entries(right).map(([key, value]): [string, Json] => [
    key,
    merged(left[key], value),
  ]);
  return { ...left, ...Object.fromEntries(entries) };
}

/**
 * The object's `managedFields` with what `manager` wrote by other means than server-side apply handed to its apply
 * entry; undefined where there is nothing to hand over. An object is created by POST, which records its fields under
 * the operation `Update`; the server counts that as another owner than the same name's `Apply`, so without this a
 * field that the program drops would stay in the object for ever.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#upgrading-from-client-side-apply-to-server-side-apply
 */
export function takeOver(live: Json, manager: string): readonly Json[] | undefined {
  const entries = listAt(live, "metadata", "managedFields");
  const isFormer = (entry: Json): boolean => {
    const name = textAt(entry, "manager") ?? "";
    return (
      textAt(entry, "operation") === "Update" &&
      textAt(entry, "subresource") === undefined &&
      (name === manager || FORMER_OWNERS.has(name))
    );
  };
  const isOurs = (entry: Json): boolean =>
    textAt(entry, "operation") === "Apply" && textAt(entry, "manager") === manager;
  const former = entries.filter(isFormer);
  const [first] = former;
  if (!isRecord(first)) return undefined;
  const ours = entries.find(isOurs);
  const fields = [ours, ...former].reduce<Json>((all, entry) => merged(all, recordAt(entry, "fieldsV1")), {});
  const entry: JsonRecord = {
    ...(isRecord(ours) ? ours : first),
    manager,
    operation: "Apply",
    fieldsV1: fields,
  };
  return [...entries.filter((item) => !isFormer(item) && !isOurs(item)), entry];
}

/** Who owns the field at `path`: `ours` counts before `theirs`. Lists are not looked into. */
export function ownerOf(live: Json, path: readonly Step[], manager: string): "ours" | "theirs" | "nobody" {
  const steps = path.map((step) => `f:${step}`);
  const owners = listAt(live, "metadata", "managedFields").filter(
    (entry) => at(recordAt(entry, "fieldsV1"), ...steps) !== undefined,
  );
  if (owners.some((entry) => textAt(entry, "manager") === manager)) return "ours";
  return owners.length > 0 ? "theirs" : "nobody";
}

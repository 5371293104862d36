/** Stands for a value that a preview does not know yet. A rule never takes it for a breach; it looks again when the value is there. */
export const UNKNOWN: unique symbol = Symbol("known after the update");

/** A Pulumi property of any kind that holds members. */
export type Members = Readonly<Record<string, unknown>>;

export const isUnknown = (value: unknown): boolean => value === UNKNOWN;

/** True, also as text: some of the AWS provider's types write booleans so. */
export const isOn = (value: unknown): boolean => value === true || value === "true";

/** Left out: neither a value nor one that will be known later. */
export const isAbsent = (value: unknown): boolean => value === undefined || value === null;

export const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The member at a path, items of lists by their number; {@link UNKNOWN} where a step on the way is. */
export function read(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const step of path) {
    if (isUnknown(at)) return UNKNOWN;
    if (Array.isArray(at)) at = at[Number(step)];
    else if (isMembers(at)) at = at[step];
    else return undefined;
  }
  return at;
}

/** The items of a list with their places; none where the list is absent or not known. One item alone counts as a list of one. */
export function items(value: unknown): readonly { readonly item: unknown; readonly index: number }[] {
  if (isAbsent(value) || isUnknown(value)) return [];
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.map((item, index) => ({ item, index }));
}

/** The texts of a list, or of one text alone; what is not known is left out. */
export const texts = (value: unknown): readonly string[] =>
  items(value).flatMap(({ item }) => (typeof item === "string" ? [item] : []));

/** Whether a list, or one of its items, is not known. */
export const holdsUnknown = (value: unknown): boolean =>
  isUnknown(value) || items(value).some(({ item }) => isUnknown(item));

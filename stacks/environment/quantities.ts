/** A quantity that the schema has accepted already. */
export function checked(value: number | undefined): number {
  if (value === undefined) throw new Error("a checked quantity is missing");
  return value;
}

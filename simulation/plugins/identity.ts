import { createHash } from "node:crypto";

/** The first `length` hexadecimal digits (40 at most) of a digest: the same parts give the same text, always. */
export const digest = (length: number, ...parts: readonly string[]): string =>
  createHash("sha1").update(parts.join("\0")).digest("hex").slice(0, length);

/** `length` decimal digits, the first of them not 0. */
export const digits = (length: number, ...parts: readonly string[]): string => {
  const number = BigInt(`0x${digest(30, ...parts)}`).toString();
  return `${"123456789"[Number(number.at(-1)) % 9] ?? "1"}${number.slice(0, length - 1)}`;
};

/** A UUID in its usual form. */
export const uuid = (...parts: readonly string[]): string => {
  const hex = digest(32, ...parts);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join("-");
};

/** The parts of a URN: `urn:pulumi:<stack>::<project>::<parent types>$<type>::<name>`. */
export function parseUrn(urn: string): { readonly type: string; readonly name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? types, name: name.join("::") };
}

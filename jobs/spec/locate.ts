import { type Document, isAlias, isMap, isPair, isScalar, isSeq, type LineCounter } from "yaml";

/** Which part of `key: value` to point at. */
export type Part = "key" | "value";

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

const start = (node: unknown): number | undefined => {
  if (typeof node !== "object" || node === null || !("range" in node)) return undefined;
  return Array.isArray(node.range) && typeof node.range[0] === "number" ? node.range[0] : undefined;
};

/**
 * Where a path is in a document. A missing field is where its parent is: at the parent's key, or at the document's start.
 */
export function locate(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
  part: Part,
): Position {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [depth, name] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(name),
      );
      if (pair === undefined) break;
      next = pair.value;
      const last = depth === path.length - 1;
      const key = start(pair.key);
      // An empty value's own place is the end of the line, or worse.
      const value = isScalar(next) && next.value === null && next.source === "" ? undefined : start(next);
      offset = (last && part === "value" ? (value ?? key) : key) ?? offset;
    } else if (isSeq(node) && typeof name === "number") {
      next = node.items[name];
      offset = start(next) ?? offset;
    } else break;
    node = next;
  }
  return at(lines, offset);
}

/** The line and column of an offset. */
export function at(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** A scalar as it is written, such as `4.0` for what YAML reads as the number 4; undefined where it is none. */
export function sourceAt(document: Document, path: readonly PropertyKey[]): string | undefined {
  const node = document.getIn(path, true);
  return isScalar(node) && typeof node.source === "string" ? node.source : undefined;
}

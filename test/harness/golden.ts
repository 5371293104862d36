import type { Graph } from "./record.ts";

/**
 * A graph as sorted JSON, for files that people review. Secrets are masked, and texts of many lines are left to the tests of
 * whoever writes them.
 */
export function goldenText(graph: Graph): string {
  const resources = graph.resources
    .map(({ urn: _urn, custom: _custom, protect: _protect, ...resource }) => compact(resource))
    .sort((a, b) => compare(a["name"], b["name"]));
  return `${JSON.stringify(sorted({ outputs: graph.outputs, resources }), undefined, 1)}\n`;
}

function compare(a: unknown, b: unknown): number {
  const [left, right] = [String(a), String(b)];
  return left < right ? -1 : Number(left > right);
}

/** Without what says nothing. */
const compact = (resource: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(resource).filter(
      ([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0),
    ),
  );

function sorted(value: unknown): unknown {
  if (typeof value === "string" && value.trim().includes("\n")) return "(text)";
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === "secret") return "(secret)";
  return Object.fromEntries(
    entries.sort(([a], [b]) => compare(a, b)).map(([key, member]) => [key, sorted(member)]),
  );
}

/** Lines of one message that are kept: what is wrong comes first, then where. */
const KEPT_LINES = 12;
const KEPT_CHARACTERS = 1500;

/**
 * A message of the engine as people can read it. A rejected output is told by everything that it was to become part of, hundreds of
 * times over; what matters is its end.
 */
export function readableMessage(message: string): string {
  const lines = message
    .trim()
    .replace(/(error serializing property "[^"]*": )+/g, "")
    .split("\n")
    .map((line) => line.trimEnd())
    // Frames of the SDK, and Node's view of the promise that failed.
    .filter((line) => !/^\s+at .*node_modules|^\s*promise: |^\s*\}?$/.test(line));
  const kept = lines.slice(0, KEPT_LINES).join("\n");
  const more = lines.length > KEPT_LINES ? "\n…" : "";
  return `${kept.length > KEPT_CHARACTERS ? `${kept.slice(0, KEPT_CHARACTERS)}…` : kept}${more}`;
}

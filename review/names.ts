/** Longest beginning that all texts have in common. */
function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/** Longest ending that all texts have in common. */
function commonSuffix(texts: readonly string[]): string {
  let suffix = texts[0] ?? "";
  for (const text of texts) while (!text.endsWith(suffix)) suffix = suffix.slice(1);
  return suffix;
}

/**
 * Several names on one line: `pool-general-us-east-1{a,b,c}` where they differ in few letters at one place only, else one after another, at
 * most `most` of them.
 */
export function joinNames(names: readonly string[], most = 4): string {
  const sorted = [...names].sort();
  const first = sorted[0];
  if (first === undefined || sorted.length === 1) return first ?? "";
  const prefix = commonPrefix(sorted);
  const rests = sorted.map((name) => name.slice(prefix.length));
  const suffix = commonSuffix(rests);
  const middles = rests.map((rest) => rest.slice(0, rest.length - suffix.length));
  if (prefix.length >= 3 && middles.every((middle) => /^[a-z0-9]{1,3}$/.test(middle))) {
    return `${prefix}{${middles.join(",")}}${suffix}`;
  }
  const shown = sorted.slice(0, most).join(", ");
  return sorted.length <= most ? shown : `${shown} and ${sorted.length - most} more`;
}

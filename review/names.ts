/** Longest beginning that all texts have in common. */
function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? "";
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1);
  return prefix;
}

/**
 * Several names on one line: `pool-m7g-4xlarge-eu-central-1{a,b,c}` where they differ in a short ending only, else one after
 * another, at most `most` of them.
 */
export function joinNames(names: readonly string[], most = 4): string {
  const sorted = [...names].sort();
  const first = sorted[0];
  if (first === undefined || sorted.length === 1) return first ?? "";
  const prefix = commonPrefix(sorted);
  const endings = sorted.map((name) => name.slice(prefix.length));
  if (prefix.length >= 3 && endings.every((ending) => /^[a-z0-9]{1,3}$/.test(ending))) {
    return `${prefix}{${endings.join(",")}}`;
  }
  const shown = sorted.slice(0, most).join(", ");
  return sorted.length <= most ? shown : `${shown} and ${sorted.length - most} more`;
}

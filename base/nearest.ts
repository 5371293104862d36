/** Edits (insert, delete, replace, swap of neighbours) that turn one text into the other: optimal string alignment. */
function distance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length] ?? 0;
}

/**
 * The known name that a mistyped one most likely means; undefined where none is near (more than a third of its letters,
 * at least two, differ). Case does not count.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 100) return undefined;
  const typed = name.toLowerCase();
  let best: { readonly name: string; readonly edits: number } | undefined;
  for (const candidate of known) {
    const edits = distance(typed, candidate.toLowerCase());
    const limit = Math.max(2, Math.floor(candidate.length / 3));
    if (edits <= limit && edits < candidate.length && (best === undefined || edits < best.edits)) {
      best = { name: candidate, edits };
    }
  }
  return best?.name;
}

/** `"a", "b" and "c"` for messages; `none` where the list is empty. */
export function listNames(names: readonly string[]): string {
  const quoted = names.map((name) => `"${name}"`);
  const last = quoted.pop();
  if (last === undefined) return "none";
  return quoted.length === 0 ? last : `${quoted.join(", ")} and ${last}`;
}

/** `Did you mean "x"? Known: …` for a hint. */
export function suggest(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  const all = `Known: ${listNames([...known].sort())}.`;
  return near === undefined ? all : `Did you mean "${near}"? ${all}`;
}

/** Breaks text at spaces, so that a terminal doesn't break it inside words. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/** Text inside Markdown, also in a table's cell: no HTML, no marks, no line end. */
export const escapeMarkdown = (text: string): string =>
  text
    .replace(/\s*\n\s*/g, " ")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/([|\\`*_[\]])/g, "\\$1");

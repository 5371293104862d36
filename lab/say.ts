/** A line for people, on standard error: standard output is for what was asked for. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

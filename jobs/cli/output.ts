import Table from "cli-table3";
import type { UserError } from "../../base/errors.ts";
import { paint } from "../../base/progress.ts";

/** One JSON document on standard output: what `--json` promises. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, undefined, process.stdout.isTTY ? 2 : undefined)}\n`);
}

export function printLine(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** What, where, what to do next; as text on standard error, or as a JSON line where the caller asked for JSON. */
export function printError(error: UserError, json: boolean): void {
  if (json) {
    const { code, message, path, hint, exitCode } = error;
    process.stdout.write(`${JSON.stringify({ type: "error", code, message, path, hint, exitCode })}\n`);
    return;
  }
  process.stderr.write(`${paint("red", "error")}: ${error.message}\n`);
  if (error.path !== undefined) process.stderr.write(`  where: ${error.path}\n`);
  if (error.hint !== undefined) process.stderr.write(`  next:  ${error.hint}\n`);
}

/** A table without borders, fit for a terminal, a log and `awk`. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = "";
  const table = new Table({
    head: head.map((title) => paint("bold", title, process.stdout)),
    chars: {
      top: none,
      "top-mid": none,
      "top-left": none,
      "top-right": none,
      bottom: none,
      "bottom-mid": none,
      "bottom-left": none,
      "bottom-right": none,
      left: none,
      "left-mid": none,
      mid: none,
      "mid-mid": none,
      right: none,
      "right-mid": none,
      middle: "  ",
    },
    style: { "padding-left": 0, "padding-right": 0, head: [], border: [] },
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

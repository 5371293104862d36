import { styleText } from "node:util";

/** Colour only on a terminal; `NO_COLOR` and `FORCE_COLOR` are honoured by node:util. */
export const paint = (
  format: Parameters<typeof styleText>[0],
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string => styleText(format, text, { stream });

/** `4.2 s`, `1 min 05 s`. */
export function formatElapsed(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

/** Where a long operation says what it does. One line per call, no trailing newline. */
export type Report = (line: string) => void;

/**
 * Runs one named step and reports `name … done (1.2 s)` on standard error; says every 15 seconds that it still goes on, so that
 * nothing over two seconds is silent.
 * @param note Said once, when the step turns out to take longer than a second: how long it may take, say.
 */
export async function step<T>(name: string, work: (report: Report) => Promise<T>, note = ""): Promise<T> {
  const started = performance.now();
  const elapsed = (): string => formatElapsed(performance.now() - started);
  let last = "";
  const say = (line: string): void => {
    process.stderr.write(`${line}\n`);
  };
  const announce = setTimeout(() => {
    say(`${paint("dim", "…")} ${name}${note === "" ? "" : ` (${note})`}`);
  }, 1000);
  const reminder = setInterval(() => {
    say(`${paint("dim", "…")} ${name} (${elapsed()}${last === "" ? "" : `, ${last}`})`);
  }, 15_000);
  try {
    const result = await work((line) => {
      last = line;
    });
    say(`${paint("green", "✓")} ${name} (${elapsed()})`);
    return result;
  } catch (error) {
    say(`${paint("red", "✗")} ${name} (${elapsed()})`);
    throw error;
  } finally {
    clearTimeout(announce);
    clearInterval(reminder);
  }
}

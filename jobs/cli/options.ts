import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { parseDuration } from "../../schema/quantity.ts";

/** `--json`: the same meaning for every command. */
export const jsonOption = () => new Option("--json", "print JSON on standard output instead of text");

/** Parses an option that says how many. */
export function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError("It must be a whole number above 0.");
  return value;
}

/** An option that is a duration, in seconds. */
export const durationOption = <Flags extends string>(flags: Flags, what: string) =>
  new Option(flags, what).argParser((text: string): number => {
    const seconds = parseDuration(text);
    if (seconds === undefined) throw new InvalidArgumentError("It must be a duration such as 90s or 15m.");
    return seconds;
  });

/** `--connection FILE`: which environment a command talks to. */
export const connectionOption = () =>
  new Option(
    "--connection <file>",
    "connection file of the environment; default: $MAYFLY_CONNECTION, else the lab's",
  );

/** Help text with examples, in one form for every command. */
export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;

// The command line's entry: parses, runs one command, turns whatever is thrown into a message and an exit code.
import { CommanderError } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../../base/errors.ts";
import { printError } from "./output.ts";
import { buildProgram } from "./program.ts";

// `mayfly … | head` closes our standard output: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

const json = process.argv.includes("--json");

try {
  await buildProgram().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message; its own codes for help and version are 0.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof UserError) {
    printError(error, json);
    process.exitCode = error.exitCode;
  } else {
    console.error("This is a bug of Mayfly. Please report it with the text below.");
    console.error(error);
    process.exitCode = EXIT.bug;
  }
}

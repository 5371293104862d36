// `npm run preview -- <environment>`: parses, reviews, turns whatever is thrown into a message and an exit code.
import { CommanderError } from "@commander-js/extra-typings";
import { EXIT, UserError } from "../base/errors.ts";
import { paint } from "../base/progress.ts";
import { previewCommand } from "./command.ts";

// `npm run preview … | head` closes our standard output: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  throw error;
});

try {
  await previewCommand().parseAsync(process.argv);
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message; its own codes for help and version are 0.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  } else if (error instanceof UserError) {
    printError(error);
    process.exitCode = error.exitCode;
  } else {
    console.error("This is a bug of Mayfly. Please report it with the text below.");
    console.error(error);
    process.exitCode = EXIT.bug;
  }
}

/** What, where, what to do next; as JSON where the caller asked for it. */
function printError({ code, message, path, hint, exitCode }: UserError): void {
  if (process.argv.includes("--json")) {
    process.stdout.write(`${JSON.stringify({ type: "error", code, message, path, hint, exitCode })}\n`);
    return;
  }
  process.stderr.write(`${paint("red", "error")}: ${message}\n`);
  if (path !== undefined) process.stderr.write(`  where: ${path}\n`);
  if (hint !== undefined) process.stderr.write(`  next:  ${hint}\n`);
}

import { EXIT, UserError } from "../../base/errors.ts";
import { type ExecuteOptions, execute } from "../../base/process.ts";

/**
 * Runs a host command that is expected to succeed and returns what it printed.
 * @throws UserError `command-failed` with the command's own last words.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: ExecuteOptions = {},
): Promise<string> {
  let finished: Awaited<ReturnType<typeof execute>>;
  try {
    finished = await execute(command, args, options);
  } catch (error) {
    throw new UserError("command-missing", `The command ${command} can't be started: ${String(error)}`, {
      exitCode: EXIT.unavailable,
      hint: "Run 'npx mayfly lab doctor' to see what this machine lacks.",
      cause: error,
    });
  }
  if (finished.code === 0) return finished.stdout;
  throw new UserError(
    "command-failed",
    `'${[command, ...args].join(" ")}' failed (${finished.signal ?? finished.code ?? "?"})`,
    { exitCode: EXIT.unavailable, hint: finished.stderr.trim().split("\n").slice(-5).join("\n") },
  );
}

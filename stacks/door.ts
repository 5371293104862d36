import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import { EXIT, UserError } from "../base/errors.ts";

/** Reads a JSON file. @throws UserError `file-missing`, `file-invalid`. */
export async function readJson(path: string, hint: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError("file-missing", "The file can't be read.", {
      path,
      hint,
      cause,
      exitCode: EXIT.missingInput,
    });
  }
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    throw new UserError("file-invalid", "The file is not JSON.", { path, hint, cause });
  }
}

/**
 * Runs a program at its door: a user's mistake ends it as an error without a stack trace, which is how Pulumi shows a
 * `RunError`.
 */
export async function atTheDoor<T>(program: () => Promise<T>): Promise<T> {
  try {
    return await program();
  } catch (error) {
    throw runError(error);
  }
}

/** Like {@link atTheDoor}, for code inside an `apply`. */
export function insideApply<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw runError(error);
  }
}

function runError(error: unknown): unknown {
  if (!(error instanceof UserError)) return error;
  const where = error.path === undefined ? "" : `\n  in: ${error.path}`;
  const hint = error.hint === undefined ? "" : `\n  ${error.hint}`;
  return new pulumi.RunError(`${error.message}${where}${hint}`);
}

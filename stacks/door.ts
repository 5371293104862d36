import { readFile } from "node:fs/promises";
import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { EXIT, UserError } from "../base/errors.ts";

/** Where a document comes from, for messages. */
export interface Source {
  /** What it should be: "The plan". */
  readonly what: string;
  /** A file or a config key. */
  readonly where: string;
  /** Put before the path of each problem: a config key or its namespace; empty for a file. */
  readonly prefix: string;
}

/**
 * Parses what a person configured; every problem is named by its path.
 * @throws UserError `config-invalid`.
 */
export function parseConfig<S extends z.ZodType>(schema: S, value: unknown, source: Source): z.output<S> {
  const result = schema.safeParse(value, {
    error: (issue) => (issue.input === undefined ? "is missing" : undefined),
  });
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `\n  ${pathText(source.prefix, issue.path)}: ${issue.message}`,
  );
  throw new UserError("config-invalid", `${source.what} is not valid:${problems.join("")}`, {
    path: source.where,
  });
}

/** `mayfly:pools[0].zones`; the first step joins a Pulumi config namespace without a dot. */
function pathText(prefix: string, path: readonly PropertyKey[]): string {
  const steps = path.map((step, index) => {
    if (typeof step === "number") return `[${step}]`;
    return index === 0 && /^$|:$/.test(prefix) ? String(step) : `.${String(step)}`;
  });
  return `${prefix}${steps.join("")}` || "the document";
}

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

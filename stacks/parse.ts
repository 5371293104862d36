import type { z } from "zod";
import { UserError } from "../base/errors.ts";

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

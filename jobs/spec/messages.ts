import type { z } from "zod";
import { nearest } from "../../base/nearest.ts";
import { describe, fieldsAt } from "./fields.ts";
import type { Part } from "./locate.ts";
import { valueAt } from "./problem.ts";

/** A complaint of a schema in words, and what it points at. */
export interface Complaint {
  readonly path: readonly PropertyKey[];
  readonly part: Part;
  readonly message: string;
}

/** What the messages are made from. */
export interface Context {
  /** JSON Schema of the document's form. */
  readonly schema: Readonly<Record<string, unknown>>;
  readonly document: unknown;
  /** A scalar as it is written in the file. */
  readonly source: (path: readonly PropertyKey[]) => string | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a group of fields",
  record: "a group of fields",
};

/** Values of these may be secrets that were put there by mistake. */
const isPrivate = (path: readonly PropertyKey[]): boolean =>
  path[0] === "environment" || path[0] === "secrets" || path[0] === "arguments";

function shown({ document, source }: Context, path: readonly PropertyKey[]): string {
  const value = valueAt(document, path);
  if (isPrivate(path) || typeof value === "object" || value === undefined) return "";
  const text = typeof value === "string" ? JSON.stringify(value) : (source(path) ?? JSON.stringify(value));
  return ` (is ${text.length > 60 ? `${text.slice(0, 57)}…` : text})`;
}

const choices = (values: readonly unknown[]): string => {
  const texts = values.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  return texts.length === 1 ? (texts[0] ?? "") : `one of ${texts.join(", ")}`;
};

function meant(value: unknown, options: readonly unknown[]): string {
  if (typeof value !== "string" || options.length < 2) return "";
  const near = nearest(
    value,
    options.filter((option) => typeof option === "string"),
  );
  return near === undefined ? "" : `; did you mean ${near}?`;
}

function missing(context: Context, path: readonly PropertyKey[], options: readonly unknown[] = []): string {
  if (options.length > 0) return `is missing: write ${choices(options)}`;
  const what = describe(context.schema, context.document, path);
  return what === undefined ? "is missing" : `is missing: ${what}`;
}

/** zod's own wording begins like this; everything else was written in schema/ for people. */
const isOwn = (message: string): boolean => /^(Invalid|Too |Unrecognized|Expected)/.test(message);

function wrongType(
  context: Context,
  issue: z.core.$ZodIssueInvalidType,
  path: readonly PropertyKey[],
): string {
  const value = valueAt(context.document, path);
  const wanted = TYPES[issue.expected] ?? issue.expected;
  if (value === null) return `is empty: write ${wanted}, or leave the field out`;
  const quotes =
    issue.expected === "string" && typeof value !== "object"
      ? ": put the value in quotes"
      : issue.expected === "number" && typeof value === "string" && Number.isFinite(Number(value))
        ? ": leave the quotes out"
        : "";
  const message = isOwn(issue.message) ? `must be ${wanted}${quotes}` : issue.message;
  const found = Array.isArray(value)
    ? " (is a list)"
    : typeof value === "object"
      ? " (is a group of fields)"
      : shown(context, path);
  return message + found;
}

function bound(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (!isOwn(issue.message)) return issue.message;
  const [limit, word, orEqual] =
    issue.code === "too_small" ? [issue.minimum, "least", "more than"] : [issue.maximum, "most", "less than"];
  const unit = issue.origin === "string" ? " characters" : issue.origin === "array" ? " entries" : "";
  return issue.inclusive === false
    ? `must be ${orEqual} ${limit}${unit}`
    : `must ${unit === "" ? "be" : "have"} at ${word} ${limit}${unit}`;
}

/** The values that a union is told apart by; zod gives them, but its types don't say so. */
const discriminators = (issue: object): readonly unknown[] => {
  const options: unknown = "options" in issue ? issue.options : [];
  return Array.isArray(options) ? options : [];
};

/** A longer list of known fields hides the message. */
const MAX_NAMES = 10;

/** Turns one complaint of zod into sentences for people, one for each place it is about. */
export function complaints(issue: z.core.$ZodIssue, context: Context): Complaint[] {
  const path = issue.path;
  const value = valueAt(context.document, path);
  const one = (message: string, part: Part = "value"): Complaint[] => [{ path, part, message }];
  if (issue.code === "unrecognized_keys") {
    const known = fieldsAt(context.schema, context.document, path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      const all = known.length > MAX_NAMES ? "" : `; known here: ${[...known].sort().join(", ")}`;
      const help = near === undefined ? all : `; did you mean ${near}?`;
      return { path: [...path, key], part: "key", message: `unknown field${help}` };
    });
  }
  if (value === undefined && path.length > 0 && issue.code !== "invalid_key") {
    const options = issue.code === "invalid_value" ? issue.values : discriminators(issue);
    return one(missing(context, path, options));
  }
  switch (issue.code) {
    case "invalid_type":
      return one(wrongType(context, issue, path));
    case "too_small":
    case "too_big":
      return one(bound(issue) + shown(context, path));
    case "invalid_value":
      return one(`must be ${choices(issue.values)}${shown(context, path)}${meant(value, issue.values)}`);
    case "invalid_union": {
      const options = discriminators(issue);
      const message = isOwn(issue.message)
        ? `must be ${choices(options)}`
        : issue.message.replace(/^\S+ must be/, "must be");
      return one(message + shown(context, path) + meant(value, options));
    }
    case "invalid_key":
      return one(issue.issues[0]?.message ?? issue.message, "key");
    case "custom":
    case "invalid_format":
    case "invalid_element":
    case "not_multiple_of":
      return one(issue.message + shown(context, path));
  }
}

import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { z } from "zod";
import { at, locate, sourceAt } from "./locate.ts";
import { complaints } from "./messages.ts";
import { isRecord, type Problem, pathText } from "./problem.ts";

/** A document that is as its schema wants it, or everything that is wrong with it, in the file's order. */
export type Parsed<T> =
  | {
      readonly ok: true;
      readonly value: T;
      readonly place: (path: readonly PropertyKey[]) => Pick<Problem, "line" | "column">;
    }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** A form of document. */
export interface Form<T> {
  readonly schema: z.ZodType<T>;
  /** Fields of which at least one is there unless the file is something else altogether. */
  readonly fields: readonly string[];
  /** What it begins with, for the message about an empty file. */
  readonly beginning: string;
  /** Fills in a wrong or missing discriminator, so that everything else can be checked in the same go. */
  readonly assume?: (document: Readonly<Record<string, unknown>>) => unknown;
}

/** A document nested so deep or with so many aliases that reading it would take minutes is an attack or an accident. */
const MAX_ALIASES = 100;

const byPlace = (left: Problem, right: Problem): number =>
  left.line - right.line || left.column - right.column;

const firstLine = (text: string): string => (text.split("\n")[0] ?? text).replace(/:$/, "");

/** The key that begins at an offset. */
const keyAt = (text: string, offset: number): string =>
  /^[^:\s]*/.exec(text.slice(offset, offset + 100))?.[0] ?? "";

function syntaxProblems(text: string, documents: readonly Document[], lines: LineCounter): Problem[] {
  const problems = documents.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(({ code, message, pos }) => ({
      ...at(lines, pos[0]),
      path: "",
      message:
        code === "DUPLICATE_KEY"
          ? `the field ${keyAt(text, pos[0])} is there twice`
          : `YAML: ${firstLine(message)}`,
    })),
  );
  const second = documents[1];
  if (second !== undefined) {
    problems.push({
      ...at(lines, second.range?.[0] ?? 0),
      path: "",
      message: `the file holds ${documents.length} documents (separated by ---); write one document per file`,
    });
  }
  return problems;
}

/** Reads the tree to plain values. */
function plain(document: Document): { value: unknown } | { message: string } {
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (error) {
    return { message: `YAML: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/**
 * Parses YAML or JSON (which is YAML as well) and checks it against a schema. All problems are found in one go: syntax, unknown and
 * missing fields, wrong values. After a syntax error fields are not looked at, since then they may not be what was meant.
 */
export function parseDocument<T>(content: string, form: Form<T>): Parsed<T> {
  const text = content.replace(/^\uFEFF/, "");
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "silent",
  });
  const documents: Document[] = "empty" in parsed ? [] : [...parsed];
  const [document] = documents;
  const top = (message: string): Parsed<T> => ({
    ok: false,
    problems: [{ line: 1, column: 1, path: "", message }],
  });
  if (document === undefined) return top(`the file is empty; a document begins with ${form.beginning}`);
  const syntax = syntaxProblems(text, documents, lines);
  if (documents.some(({ errors }) => errors.some(({ code }) => code !== "DUPLICATE_KEY"))) {
    return { ok: false, problems: syntax.sort(byPlace) };
  }
  const read = plain(document);
  if ("message" in read) return top(read.message);
  if (read.value === null) return top(`the file is empty; a document begins with ${form.beginning}`);
  if (!isRecord(read.value)) return top(`must be a group of fields that begins with ${form.beginning}`);
  if (!Object.keys(read.value).some((field) => form.fields.includes(field))) {
    const message = `none of its fields is known; a document begins with ${form.beginning}`;
    return { ok: false, problems: [{ line: 1, column: 1, path: "", message }, ...syntax] };
  }
  const problems = [...syntax, ...schemaProblems(read.value, document, lines, form)].sort(byPlace);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    value: form.schema.parse(read.value),
    place: (path) => locate(document, lines, path, "value"),
  };
}

function schemaProblems<T>(
  value: Readonly<Record<string, unknown>>,
  document: Document,
  lines: LineCounter,
  { schema, assume }: Form<T>,
): Problem[] {
  const result = schema.safeParse(value);
  if (result.success) return [];
  const issues = [...result.error.issues];
  const assumed = assume?.(value);
  if (assumed !== undefined) issues.push(...(schema.safeParse(assumed).error?.issues ?? []));
  const context = {
    schema: z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }),
    document: assumed ?? value,
    source: (path: readonly PropertyKey[]) => sourceAt(document, path),
  };
  return issues.flatMap((issue) =>
    complaints(
      issue,
      issue.path[0] === "engine" || issue.path[0] === "kind" ? { ...context, document: value } : context,
    ).map(({ path, part, message }) => ({
      ...locate(document, lines, path, part),
      path: pathText(path),
      message,
    })),
  );
}

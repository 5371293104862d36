/** One thing that is wrong with a document. */
export interface Problem {
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1. */
  readonly column: number;
  /** Place in the document, such as `workers.memory`; empty for the document as a whole. */
  readonly path: string;
  /** What is wrong and, where it can be said shortly, what to write instead. */
  readonly message: string;
}

/** `application.pyFiles[0]` */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");

/** `job.yaml:3:9 workers.memory: …`: the form that editors and terminals turn into links. */
export const problemLine = (file: string, { line, column, path, message }: Problem): string =>
  `${file}:${line}:${column} ${path === "" || message.startsWith(path) ? "" : `${path}: `}${message}`;

/** Whether a value is an object with fields, hence no list and no null. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value at a path; undefined where there is none. */
export const valueAt = (value: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>((inner, part) => {
    if (Array.isArray(inner)) return typeof part === "number" ? inner[part] : undefined;
    return isRecord(inner) && typeof part === "string" && Object.hasOwn(inner, part)
      ? inner[part]
      : undefined;
  }, value);

/** Stable process exit codes of Mayfly. Documented in `mayfly --help` and docs/outcomes.md; never renumbered. */
export const EXIT = {
  ok: 0,
  /** A defect of Mayfly itself: prints a stack trace. */
  bug: 70,
  /** Wrong command line. */
  usage: 64,
  /** A spec, plan or config that does not validate. */
  invalidInput: 65,
  /** A file, object or bucket that the input names is not there. */
  missingInput: 66,
  /** The machine lacks something Mayfly needs (a package, a tool, a running lab). */
  unavailable: 69,
  /** What is asked for is at odds with what is there: a key or run id in use, a run that has ended or that another helper holds. */
  conflict: 73,
  /** The API server, the S3 store, the ledger's database or the state backend can't be reached. */
  unreachable: 74,
  /** Credentials were refused. */
  denied: 77,
} as const;

/** What a `UserError` may end the process with: any of {@link EXIT} or an outcome's code of schema/outcome.ts. */
export type ExitCode = number;

/** Where, and what to do: the optional parts of a {@link UserError}. */
export interface UserErrorDetails {
  /** What to do next: a full sentence, best with the command to type. */
  readonly hint?: string | undefined;
  /** Where: a file, `file:line:column`, a spec path such as `driver.memory`, or a URL. */
  readonly path?: string | undefined;
  /** Ends the process; default {@link EXIT.invalidInput}. */
  readonly exitCode?: ExitCode | undefined;
  readonly cause?: unknown;
}

/**
 * A mistake of the user or their surroundings, never of Mayfly: printed as `what, where, what to do` without a stack
 * trace. Everything else that is thrown is a bug.
 */
export class UserError extends Error {
  override readonly name = "UserError";
  readonly code: string;
  readonly hint: string | undefined;
  readonly path: string | undefined;
  readonly exitCode: ExitCode;

  /** @param code Stable kebab-case identifier, such as `spec-invalid`; tests and callers match on it, never on text. */
  constructor(code: string, message: string, details: UserErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.path = details.path;
    this.exitCode = details.exitCode ?? EXIT.invalidInput;
  }
}

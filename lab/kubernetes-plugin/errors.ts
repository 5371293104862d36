import { at, type Json, listAt, numberAt, textAt } from "./json.ts";
import type { Properties } from "./wire.ts";

/** What the engine shows its user; never with a stack trace. */
export class PluginError extends Error {
  override readonly name: string = "PluginError";
}

/** The provider's configuration leads to no cluster. */
export class ConfigurationError extends PluginError {
  override readonly name = "ConfigurationError";
}

/** Nothing answered: the network, name or TLS failed before any HTTP. */
export class UnreachableError extends PluginError {
  override readonly name = "UnreachableError";
}

/** The operation was stopped by the user. */
export class CancelledError extends PluginError {
  override readonly name = "CancelledError";
}

/** The API server's answer was an error. */
export class ApiError extends PluginError {
  override readonly name = "ApiError";
  /** HTTP status. */
  readonly code: number;
  /** Such as `AlreadyExists`; see meta/v1 StatusReason. */
  readonly reason: string;
  readonly status: Json;

  constructor(code: number, status: Json, message = textAt(status, "message") ?? `HTTP ${code}`) {
    super(message);
    this.code = numberAt(status, ["code"], code);
    this.reason = textAt(status, "reason") ?? "";
    this.status = status;
  }
}

/** The API server has no such kind: a wrong apiVersion, or a CRD that is not there. */
export class NoKindError extends PluginError {
  override readonly name = "NoKindError";
}

/** The object exists but did not become what the program asked for: the engine keeps it in the state. */
export class NotReadyError extends PluginError {
  override readonly name = "NotReadyError";
  readonly id: string;
  readonly state: Properties;
  readonly inputs: Properties | undefined;
  readonly reasons: readonly string[];

  constructor(
    message: string,
    known: {
      readonly id: string;
      readonly state: Properties;
      readonly inputs?: Properties;
      readonly reasons: readonly string[];
    },
  ) {
    super(message);
    this.id = known.id;
    this.state = known.state;
    this.inputs = known.inputs;
    this.reasons = known.reasons;
  }
}

const isApiError = (error: unknown, code: number): error is ApiError =>
  error instanceof ApiError && error.code === code;

export const isNotFound = (error: unknown): boolean => isApiError(error, 404);
export const isForbidden = (error: unknown): boolean => isApiError(error, 403);
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && error.reason === "AlreadyExists";

/** Whether the object's namespace is what is missing: it may be about to be made. */
export const isNamespaceMissing = (error: unknown): boolean =>
  error instanceof ApiError && error.code === 404 && at(error.status, "details", "kind") === "namespaces";

/** Whether the answer tells of fields that another manager owns. */
export const isOwnershipConflict = (error: unknown): error is ApiError =>
  error instanceof ApiError &&
  error.code === 409 &&
  listAt(error.status, "details", "causes").some(
    (cause) => textAt(cause, "reason") === "FieldManagerConflict",
  );

/** Says who owns what, and how to go on. */
export function explainConflict(error: ApiError, manager: string): string {
  const lines = listAt(error.status, "details", "causes")
    .filter((cause) => textAt(cause, "reason") === "FieldManagerConflict")
    .map((cause) => `  ${textAt(cause, "field") ?? "?"}: ${textAt(cause, "message") ?? "?"}`);
  return [
    `Server-Side Apply field conflict detected. The resource managed by field manager "${manager}" had an apply conflict: ${error.message}`,
    ...lines,
    'Set the annotation pulumi.com/patchForce: "true" to take these fields over, or list them in ignoreChanges to leave them.',
  ].join("\n");
}

/** Whether no cluster can be asked at all, which says nothing about the objects in it. */
export const isOutOfReach = (error: unknown): error is UnreachableError | ConfigurationError =>
  error instanceof UnreachableError || error instanceof ConfigurationError;

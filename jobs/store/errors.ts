import { EXIT, UserError } from "../../base/errors.ts";

/** Why the store did not do what it was asked. */
export type StoreErrorKind = "missing" | "denied" | "unreachable" | "other";

/** What {@link storeError} needs to know of where the store is. */
export interface StoreAddress {
  readonly endpoint: string;
  readonly credentialsFile: string;
  readonly profile: string;
}

/** The SDK's and Node's names for what can happen, https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const KINDS: Readonly<Record<string, StoreErrorKind>> = {
  NotFound: "missing",
  NoSuchKey: "missing",
  NoSuchBucket: "missing",
  "403": "denied",
  Forbidden: "denied",
  AccessDenied: "denied",
  InvalidAccessKeyId: "denied",
  SignatureDoesNotMatch: "denied",
  ExpiredToken: "denied",
  InvalidToken: "denied",
  CredentialsProviderError: "denied",
  ECONNREFUSED: "unreachable",
  ECONNRESET: "unreachable",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENETUNREACH: "unreachable",
  ETIMEDOUT: "unreachable",
  TimeoutError: "unreachable",
  ServiceUnavailable: "unreachable",
};

/** Sorts what the SDK threw. A HEAD has no body, so that its error may have a status only. */
export function storeErrorKind(error: unknown): StoreErrorKind {
  const names = [field(error, "name"), field(error, "code"), field(error, "Code"), status(error)];
  return names.map((name) => KINDS[name]).find((kind) => kind !== undefined) ?? "other";
}

/** The error for people: what, where, what to do. */
export function storeError(url: string, address: StoreAddress, error: unknown): UserError {
  const details = { path: url, cause: error };
  switch (storeErrorKind(error)) {
    case "missing":
      return new UserError("s3-missing", "There is no such object or bucket in the S3 store.", {
        ...details,
        hint: "Check the name, and upload the file if it is not there yet.",
        exitCode: EXIT.missingInput,
      });
    case "denied":
      return new UserError(
        "s3-denied",
        `The S3 store refused the credentials of profile ${address.profile} (${address.credentialsFile}).`,
        { ...details, hint: "Check the profile's keys and what they may access.", exitCode: EXIT.denied },
      );
    case "unreachable":
      return new UserError("s3-unreachable", `The S3 store at ${address.endpoint} does not answer.`, {
        ...details,
        hint: "Check that it runs and that this machine reaches it; for the lab: npx mayfly lab up",
        exitCode: EXIT.unreachable,
      });
    case "other":
      return new UserError("s3-failed", `The S3 store failed: ${field(error, "message")}`, {
        ...details,
        hint: "Look at the store's own log.",
        exitCode: EXIT.unavailable,
      });
  }
}

function field(error: unknown, name: string): string {
  if (typeof error !== "object" || error === null) return "";
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : "";
}

function status(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const metadata: unknown = Reflect.get(error, "$metadata");
  if (typeof metadata !== "object" || metadata === null) return "";
  const code: unknown = Reflect.get(metadata, "httpStatusCode");
  return code === 404 ? "NotFound" : String(code);
}

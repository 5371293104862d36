// The one place that reads text of Pulumi, its plugins and the API server's refusals. Everything else matches on `kind`.
import type { PolicyViolation } from "./types.ts";

/** Whoever holds a lock on a stack, as Pulumi wrote it into the lock file. */
export interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly at: string;
}

/** Why a provider refused a resource. */
export type RefusalReason =
  /** By an admission policy, since another helper works on the run now. */
  "fenced" | "quota" | "policy" | "forbidden" | "exists" | "conflict" | "unreachable" | "other";

/** One resource that could not be made or removed. */
export interface ResourceFailure {
  readonly kind: string;
  readonly name: string;
  readonly reason: RefusalReason;
  /** The plugin's own words, on one line. */
  readonly message: string;
}

/** All ways in which an engine operation can fail. `message` is one sentence for people. */
export type EngineError =
  /** Another process works on the stack, or died while it did. */
  | { readonly kind: "conflict"; readonly message: string; readonly owners: readonly LockOwner[] }
  | { readonly kind: "not-found"; readonly message: string }
  | { readonly kind: "exists"; readonly message: string }
  /** The stack's state can't be read: Pulumi was killed, or the disk was full, while it was written. */
  | { readonly kind: "broken-state"; readonly message: string }
  /** The state backend or the cluster does not answer. */
  | { readonly kind: "unreachable"; readonly message: string }
  /** Backend, cluster or passphrase refused us. */
  | { readonly kind: "unauthorized"; readonly message: string }
  | { readonly kind: "provider"; readonly message: string; readonly failures: readonly ResourceFailure[] }
  /** The policy pack found breaches of mandatory rules. */
  | { readonly kind: "policy"; readonly message: string; readonly violations: readonly PolicyViolation[] }
  | { readonly kind: "cancelled"; readonly message: string }
  /** The `pulumi` binary or a plugin is not there. */
  | { readonly kind: "missing-tool"; readonly message: string }
  /** Anything else: the end of what the CLI printed. */
  | { readonly kind: "cli"; readonly message: string };

/** The only error that a `StackEngine` rejects with. */
export class EngineFailure extends Error {
  override readonly name = "EngineFailure";
  readonly error: EngineError;

  constructor(error: EngineError) {
    super(error.message);
    this.error = error;
  }
}

/** Patterns of the CLI's output. The first that matches wins. */
const CLI: readonly {
  readonly pattern: RegExp;
  readonly kind: Exclude<EngineError["kind"], "provider" | "policy">;
}[] = [
  { pattern: /the stack is currently locked by|\[409\] Conflict/, kind: "conflict" },
  { pattern: /no stack named .* found/, kind: "not-found" },
  { pattern: /failed to load checkpoint|unexpected end of JSON input/, kind: "broken-state" },
  { pattern: /stack .* already exists/, kind: "exists" },
  { pattern: /incorrect passphrase|PULUMI_CONFIG_PASSPHRASE/, kind: "unauthorized" },
  {
    pattern: /AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|permission denied/,
    kind: "unauthorized",
  },
  { pattern: /Unauthorized|must be logged in to the server/, kind: "unauthorized" },
  {
    pattern:
      /connection refused|no such host|i\/o timeout|network is unreachable|cluster is unreachable|TLS handshake timeout/i,
    kind: "unreachable",
  },
  {
    pattern: /no resource plugin|could not find plugin|executable file not found|plugin .* not found/,
    kind: "missing-tool",
  },
  { pattern: /update cancel+ed|operation was cancel+ed|context canceled/i, kind: "cancelled" },
];

/** Patterns of what the Kubernetes API server and its plugins say about one resource. The first that matches wins. */
const REFUSALS: readonly { readonly pattern: RegExp; readonly reason: RefusalReason }[] = [
  { pattern: /another helper works on this run/, reason: "fenced" },
  { pattern: /exceeded quota|failed quota/, reason: "quota" },
  {
    pattern: /violates PodSecurity|ValidatingAdmissionPolicy|admission webhook .* denied|denied request/,
    reason: "policy",
  },
  { pattern: /already exists|AlreadyExists/, reason: "exists" },
  {
    pattern: /conflict.* with ".*" using|the object has been modified|Apply failed with \d+ conflict/,
    reason: "conflict",
  },
  { pattern: /is forbidden|Unauthorized|cannot \w+ resource/, reason: "forbidden" },
  {
    pattern: /connection refused|unreachable|i\/o timeout|no such host|ECONNREFUSED/i,
    reason: "unreachable",
  },
];

const LOCK_LINE = /created by \S+?@(\S+) \(pid (\d+)\) at (\S+)/g;

/** What is known when an operation has failed. */
export interface FailureFacts {
  /** All that the CLI printed on standard output and error. */
  readonly output: string;
  /** We asked it to stop. */
  readonly interrupted: boolean;
  /** Errors that the engine reported about single resources, as `kind`, `name` and the plugin's message. */
  readonly resources: readonly { readonly kind: string; readonly name: string; readonly message: string }[];
  /** Errors that the engine reported about the stack as a whole. */
  readonly diagnostics: readonly string[];
  /** Breaches of mandatory rules. */
  readonly violations: readonly PolicyViolation[];
}

/** Names what went wrong. */
export function classifyFailure(facts: FailureFacts): EngineError {
  const text = [...facts.diagnostics, facts.output].join("\n");
  const message = firstError(facts);
  if (facts.interrupted) return { kind: "cancelled", message: "The operation was stopped." };
  if (facts.violations.length > 0) return policyError(facts.violations);
  if (facts.resources.length > 0) return providerError(facts.resources);
  const kind = CLI.find(({ pattern }) => pattern.test(text))?.kind ?? "cli";
  return kind === "conflict" ? { kind, message, owners: lockOwners(text) } : { kind, message };
}

/** Whether the API server refused anything since another helper works on the run: whoever is told so has lost the run's lease. */
export const isFencedOff = (error: EngineError): boolean =>
  error.kind === "provider" && error.failures.some(({ reason }) => reason === "fenced");

/** Why a provider refused a resource, by its message. */
export const refusalReason = (message: string): RefusalReason =>
  REFUSALS.find(({ pattern }) => pattern.test(message))?.reason ?? "other";

function policyError(violations: FailureFacts["violations"]): EngineError {
  const [first] = violations;
  const more = violations.length === 1 ? "" : ` (and ${violations.length - 1} more)`;
  const where = first?.resource === undefined ? "" : ` ${first.resource.name}:`;
  return {
    kind: "policy",
    message: `Rule ${first?.policy ?? ""}:${where} ${oneLine(first?.message ?? "")}${more}`,
    violations,
  };
}

function providerError(resources: FailureFacts["resources"]): EngineError {
  const failures = resources.map(({ kind, name, message }) => ({
    kind,
    name,
    reason: refusalReason(message),
    message: oneLine(message),
  }));
  const [first, ...rest] = failures;
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  const message = `${first?.kind.split(":").at(-1) ?? "Resource"} ${first?.name ?? ""}: ${first?.message ?? ""}${more}`;
  const unreachable = failures.every(({ reason }) => reason === "unreachable");
  return unreachable ? { kind: "unreachable", message } : { kind: "provider", message, failures };
}

function lockOwners(text: string): LockOwner[] {
  return [...text.matchAll(LOCK_LINE)].map(([, host = "", pid = "", at = ""]) => ({
    host,
    pid: Number(pid),
    at,
  }));
}

/** The CLI ends with `error: …`; what comes before is progress. */
function firstError({ output, diagnostics }: FailureFacts): string {
  const diagnostic = diagnostics.at(0);
  if (diagnostic !== undefined) return oneLine(diagnostic);
  const start = output.indexOf("error: ");
  return oneLine(start === -1 ? output.slice(-2000) : output.slice(start + "error: ".length));
}

const oneLine = (text: string): string => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > 600 ? `${line.slice(0, 600)} …` : line;
};

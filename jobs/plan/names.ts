import { createHash } from "node:crypto";

/** Longest DNS label (RFC 1123), and longest label value of Kubernetes. */
const MAX_NAME = 63;
const RUN_MAX = 40;

const hash = (text: string, length: number): string =>
  createHash("sha256").update(text).digest("hex").slice(0, length);

/** A number that depends on nothing but the text: spreads runs evenly over zones. */
export const stableNumber = (text: string): number => Number.parseInt(hash(text, 12), 16);

/** Lower-case letters, digits and single dashes of a text; may be empty. */
const clean = (text: string): string =>
  text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");

/**
 * A DNS label made of parts, at most `maxLength` long whatever the parts hold. Unchanged where the parts joined by dashes
 * already are one; otherwise characters are replaced, the longest part is cut first, and a hash of the original parts is put at
 * the end, so that different parts never give the same name (the hash has 32 bits).
 */
export function dnsName(parts: readonly string[], maxLength = MAX_NAME): string {
  const joined = parts.join("-");
  if (joined.length <= maxLength && /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(joined)) return joined;
  const tail = hash(JSON.stringify(parts), 8);
  const pieces = parts.map(clean).filter((piece) => piece !== "");
  const room = maxLength - tail.length - 1;
  const length = (): number => pieces.reduce((sum, piece) => sum + piece.length, pieces.length - 1);
  while (length() > room) {
    const longest = pieces.reduce(
      (best, piece, index) => (piece.length > (pieces[best] ?? "").length ? index : best),
      0,
    );
    const piece = pieces[longest] ?? "";
    if (piece.length <= 1) pieces.splice(longest, 1);
    else pieces[longest] = piece.slice(0, -1);
  }
  const body = [...pieces, tail]
    .map((piece) => piece.replaceAll(/^-+|-+$/g, ""))
    .filter((piece) => piece !== "")
    .join("-");
  // A label here begins with a letter, since Services need that: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
  return /^[a-z]/.test(body) ? body : `r${body.slice(-(maxLength - 1)).replace(/^-+/, "")}`;
}

const ALPHABET = "abcdefghjkmnpqrstvwxyz23456789";

/**
 * A new run's id: `<job>-<month, day, hour, minute in UTC>-<random>`, such as `wordcount-11240544-k3fq`. Pure: give it the time
 * in milliseconds since 1970 and at least five random bytes.
 */
export function runId(job: string, timeMs: number, randomBytes: Uint8Array): string {
  if (randomBytes.length < 5) throw new Error(`runId needs 5 random bytes, got ${randomBytes.length}`);
  const stamp = new Date(timeMs)
    .toISOString()
    .slice(5, 16)
    .replaceAll(/[^0-9]/g, "");
  const random = [...randomBytes.slice(0, 5)].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  const ending = `-${stamp}-${random}`;
  return dnsName([job], RUN_MAX - ending.length) + ending;
}

/** What a run's objects are called. */
export interface RunNames {
  readonly namespace: string;
  /** Name of the Pulumi stack in project mayfly-job. */
  readonly stack: string;
  /** Folder of the run's logs in the environment's bucket; no slash at either end. */
  readonly logPrefix: string;
}

/**
 * Names of one attempt. Each attempt has its own namespace: the one before may still be on its way out.
 * @param attempt Counts from 1; the first one has the plain name.
 */
export function runNames(tenant: string, job: string, run: string, attempt: number): RunNames {
  const namespace = dnsName(attempt === 1 ? [tenant, run] : [tenant, run, String(attempt)]);
  return { namespace, stack: namespace, logPrefix: `runs/${tenant}/${job}/${run}/${attempt}` };
}

/** Labels of every object of a run. Values are DNS labels or versions, hence valid label values. */
export function runLabels(of: {
  readonly engine: string;
  readonly version: string;
  readonly tenant: string;
  readonly job: string;
  readonly run: string;
  readonly attempt: number;
  readonly environment: string;
  readonly environmentClass: string;
}): Record<string, string> {
  return {
    "app.kubernetes.io/name": of.engine,
    "app.kubernetes.io/version": of.version,
    "app.kubernetes.io/instance": of.run,
    "app.kubernetes.io/managed-by": "mayfly",
    "mayfly.dev/tenant": of.tenant,
    "mayfly.dev/job": of.job,
    "mayfly.dev/run": of.run,
    "mayfly.dev/attempt": String(of.attempt),
    "mayfly.dev/environment": of.environment,
    "mayfly.dev/class": of.environmentClass,
  };
}

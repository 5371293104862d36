// Pure: what a failure means for the run, before and beside its driver's own end.
import { UserError } from "../../base/errors.ts";
import type { Outcome } from "../../schema/outcome.ts";

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export const infrastructure = (what: string, error: unknown): Outcome => ({
  kind: "infrastructure",
  message: `${what}: ${text(error)}`,
});

/** Why an attempt could not be planned: the environment refuses it, or something was away. */
export const outcomeOfFailedPlan = (error: unknown): Outcome =>
  error instanceof UserError
    ? { kind: "unschedulable", missing: error.path ?? error.code, message: error.message }
    : infrastructure("The job could not be planned", error);

/** What the job itself needs and nobody has put there: another attempt would only miss it again. */
const MISSED: Readonly<Record<string, "input" | "secret">> = {
  "input-not-found": "input",
  "s3-missing": "input",
  "secret-missing": "secret",
  "secret-key-missing": "secret",
};

/** Why an attempt could not begin: the job misses something of its own, or it is a matter of what is around it (also a name that is taken). */
export function outcomeOfRefusal(error: unknown): Outcome {
  const by = error instanceof UserError ? MISSED[error.code] : undefined;
  if (by === undefined) return infrastructure("The cluster could not be made", error);
  const where = error instanceof UserError && error.path !== undefined ? ` (${error.path})` : "";
  return { kind: "refused", by, message: text(error).replace(/\.$/, "") + `${where}.` };
}

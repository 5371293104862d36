import { listNames } from "../../base/nearest.ts";
import type { Tenant } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { SparkPlan } from "../../schema/plan.ts";
import { refuse } from "./refusal.ts";

/** Name of the Secret with the run's own secret: components/run/pod.ts. */
const AUTHENTICATION = "authentication";

/** Variables that an engine keeps to itself. */
export interface ReservedVariables {
  readonly pattern: RegExp;
  /** Of the engine, for messages. */
  readonly engine: string;
}

/** Refuses variables that Mayfly sets, and names that come twice. */
export function checkVariables(spec: JobSpec, { pattern, engine }: ReservedVariables): void {
  const plain = Object.keys(spec.environment);
  const fromSecrets = spec.secrets.map(({ env }) => env);
  const reserved = [...plain, ...fromSecrets].filter((name) => pattern.test(name));
  const [first] = reserved;
  if (first !== undefined) {
    refuse({
      code: "reserved-variable",
      message: `The job sets ${listNames(reserved)}, which Mayfly or ${engine} sets.`,
      path: plain.includes(first) ? `environment.${first}` : "secrets",
      hint: `Use another name; ${engine}'s own settings belong into conf, S3 access comes from the tenant's identity.`,
    });
  }
  // The run's own Secret has this name in the namespace that the others are copied to.
  if (spec.secrets.some(({ secret }) => secret === AUTHENTICATION)) {
    refuse({
      code: "reserved-secret",
      message: `A Secret named "${AUTHENTICATION}" can't be copied to a run: its own has that name.`,
      path: "secrets",
      hint: "Give the tenant's Secret another name.",
    });
  }
  const twice = fromSecrets.filter(
    (name, index) => plain.includes(name) || fromSecrets.indexOf(name) !== index,
  );
  if (twice.length === 0) return;
  refuse({
    code: "duplicate-variable",
    message: `The job sets ${listNames([...new Set(twice)])} twice.`,
    path: "secrets",
    hint: "Keep one of the entries in environment and secrets.",
  });
}

/** Secrets that the run's namespace needs, each once. */
export const copiedSecrets = (names: readonly string[], tenant: Tenant): SparkPlan["secrets"] =>
  [...new Set(names)].sort().map((name) => ({ fromNamespace: tenant.namespace, name }));

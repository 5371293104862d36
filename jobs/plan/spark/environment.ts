import { listNames } from "../../../base/nearest.ts";
import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { SparkJob } from "../../../schema/job.ts";
import type { SparkPlan } from "../../../schema/plan.ts";
import { refuse } from "../refusal.ts";
import { literal } from "./files.ts";
import { SCRATCH } from "./layout.ts";
import { s3Env, s3SecretEnv, usesS3 } from "./s3.ts";

/** Names that a job may not set: they would change computed flags, addresses or identity. */
const RESERVED =
  /^(_?SPARK_|_?JAVA_|JDK_JAVA_|POD_|AWS_|MAYFLY_|PATH$|HOME$|TMPDIR$|PYSPARK_|HADOOP_CONF_DIR$)/;

/** Name of the Secret with the run's own secret: components/run/pod.ts. */
const AUTHENTICATION = "authentication";

/** Refuses variables that Mayfly sets, and names that come twice. */
export function checkEnvironment(spec: SparkJob): void {
  const plain = Object.keys(spec.environment);
  const fromSecrets = spec.secrets.map(({ env }) => env);
  const reserved = [...plain, ...fromSecrets].filter((name) => RESERVED.test(name));
  const [first] = reserved;
  if (first !== undefined) {
    refuse({
      code: "reserved-variable",
      message: `The job sets ${listNames(reserved)}, which Mayfly or Spark sets.`,
      path: plain.includes(first) ? `environment.${first}` : "secrets",
      hint: "Use another name; Spark's own settings belong into conf, S3 access comes from the tenant's identity.",
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

/** Variables of every JVM of a run. */
export const commonEnv = (version: string): Record<string, string> => ({
  LANG: "C.UTF-8",
  // Spark from PyPI has no RELEASE file, from which the worker would know it: facts of images/spark.
  SPARK_SCALA_VERSION: Number(version.split(".")[0]) >= 4 ? "2.13" : "2.12",
  SPARK_LOCAL_IP: "$(POD_IP)",
});

/** Plain variables of driver and workers, whose executors inherit them. */
export const applicationEnv = (
  spec: SparkJob,
  version: string,
  contract: EnvironmentContract,
  tenant: Tenant,
  identity: { readonly run: string; readonly attempt: number },
): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, literal(value)])),
  ...commonEnv(version),
  HOME: SCRATCH.work,
  TMPDIR: SCRATCH.temporary,
  SPARK_LOCAL_DIRS: SCRATCH.local,
  PYTHONUNBUFFERED: "1",
  MAYFLY_RUN: identity.run,
  MAYFLY_ATTEMPT: String(identity.attempt),
  ...(usesS3(spec) ? s3Env(contract.s3, tenant) : {}),
});

/** Variables that come from Secrets. */
export const applicationSecretEnv = (
  spec: SparkJob,
  tenant: Tenant,
): { env: string; secret: string; key: string }[] => [
  ...spec.secrets,
  ...(usesS3(spec) ? s3SecretEnv(tenant) : []),
];

/** Secrets that the run's namespace needs, each once. */
export const copiedSecrets = (spec: SparkJob, tenant: Tenant): SparkPlan["secrets"] =>
  [...new Set(applicationSecretEnv(spec, tenant).map(({ secret }) => secret))]
    .sort()
    .map((name) => ({ fromNamespace: tenant.namespace, name }));

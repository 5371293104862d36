import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { SparkJob } from "../../../schema/job.ts";
import type { SparkPlan } from "../../../schema/plan.ts";
import { s3Env } from "../s3.ts";
import { literal } from "../text.ts";
import { checkVariables, copiedSecrets as copied } from "../variables.ts";
import { MOUNTS, SCRATCH } from "./layout.ts";
import { s3SecretEnv, usesS3 } from "./s3.ts";

/** Names that a job may not set: they would change computed flags, addresses or identity. */
const RESERVED =
  /^(_?SPARK_|_?JAVA_|JDK_JAVA_|POD_|AWS_|MAYFLY_|PATH$|HOME$|TMPDIR$|PYSPARK_|HADOOP_CONF_DIR$)/;

/** Refuses variables that Mayfly sets, and names that come twice. */
export const checkEnvironment = (spec: SparkJob): void => {
  checkVariables(spec, { pattern: RESERVED, engine: "Spark" });
};

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
  ...(usesS3(spec) ? s3Env(contract.s3, tenant, MOUNTS.webIdentity) : {}),
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
  copied(
    applicationSecretEnv(spec, tenant).map(({ secret }) => secret),
    tenant,
  );

import type { FlinkJob } from "../../../schema/job.ts";
import { s3Env } from "../s3.ts";
import { literal } from "../text.ts";
import { checkVariables } from "../variables.ts";
import type { FlinkContext } from "./context.ts";
import { IMAGE, MOUNTS, PRIVATE, SCRATCH } from "./layout.ts";
import { usesS3 } from "./s3.ts";

/** Names that a job may not set: they would change computed flags, addresses or identity. */
const RESERVED =
  /^(_?FLINK_|_?JAVA_|JDK_JAVA_|JVM_ARGS$|POD_|AWS_|MAYFLY_|PATH$|HOME$|TMPDIR$|HADOOP_|ENABLE_BUILT_IN_PLUGINS$)/;

/** Refuses variables that Mayfly sets, and names that come twice. */
export const checkEnvironment = (spec: FlinkJob): void => {
  checkVariables(spec, { pattern: RESERVED, engine: "Flink" });
};

/** Plain variables of every JVM of a run. */
export function variables({ spec, contract, tenant, identity }: FlinkContext): Record<string, string> {
  const secret = tenant.s3Identity.kind === "secret";
  return {
    ...Object.fromEntries(Object.entries(spec.environment).map(([name, value]) => [name, literal(value)])),
    LANG: "C.UTF-8",
    HOME: SCRATCH.work,
    TMPDIR: SCRATCH.temporary,
    // Flink looks for plugins, libraries and its configuration relative to the working folder otherwise.
    FLINK_CONF_DIR: MOUNTS.config,
    FLINK_LIB_DIR: `${IMAGE.home}/lib`,
    FLINK_OPT_DIR: `${IMAGE.home}/opt`,
    FLINK_PLUGINS_DIR: `${IMAGE.home}/plugins`,
    MAYFLY_RUN: identity.run,
    MAYFLY_ATTEMPT: String(identity.attempt),
    ...(usesS3(spec) ? s3Env(contract.s3, tenant, MOUNTS.webIdentity) : {}),
    // The first is for version 1 of the AWS SDK, which the plugin has, the second for jobs that bring version 2.
    ...(usesS3(spec) && secret
      ? {
          AWS_CREDENTIAL_PROFILES_FILE: PRIVATE.credentials,
          AWS_SHARED_CREDENTIALS_FILE: PRIVATE.credentials,
        }
      : {}),
    ...(usesS3(spec) ? { AWS_JAVA_V1_DISABLE_DEPRECATION_ANNOUNCEMENT: "true" } : {}),
  };
}

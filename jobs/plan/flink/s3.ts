import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { FlinkJob } from "../../../schema/job.ts";
import type { PlannedContainer } from "../../../schema/plan.ts";
import { isS3, S3_SECRET_KEYS } from "../s3.ts";
import { MOUNTS, SCRATCH } from "./layout.ts";
import { ENTROPY } from "./state.ts";

/** Files that the application consists of, in the spec's order. */
export const codeFiles = ({ application }: FlinkJob): string[] => [
  application.file,
  ...(application.kind === "python" ? application.pyFiles : application.jars),
];

/** s3:// files that must exist before the run. */
export const inputFiles = (spec: FlinkJob): string[] => [...new Set(codeFiles(spec).filter(isS3))];

/** Folders and files that a stream's state is read from and written to. */
export const stateUrls = (spec: FlinkJob): string[] =>
  spec.kind === "stream"
    ? [spec.checkpoints.location, ...(spec.from === undefined ? [] : [spec.from.savepoint])]
    : [];

/**
 * Whether a job touches S3 as far as its spec tells: only then its pods get S3 settings and credentials. A job that names a bucket in its
 * code should have it in output.locations.
 */
export const usesS3 = (spec: FlinkJob): boolean =>
  [
    ...codeFiles(spec),
    ...stateUrls(spec),
    ...spec.arguments,
    ...spec.output.locations,
    ...Object.values(spec.conf),
    ...Object.values(spec.environment),
  ].some(isS3);

/** Of the AWS SDK 1 that the plugin brings. A Secret becomes a credentials file: variables are inherited and shown more widely. */
const PROVIDERS = {
  secret: "com.amazonaws.auth.profile.ProfileCredentialsProvider",
  "web-identity": "com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
} as const satisfies Record<Tenant["s3Identity"]["kind"], string>;

/** Where the store is and how pods sign; not for jobs to change. The plugin is flink-s3-fs-hadoop, for `s3://` and `s3a://`. */
export const s3Settings = (
  s3: EnvironmentContract["s3"],
  { s3Identity }: Tenant,
): Record<string, string> => ({
  "s3.endpoint": s3.endpoint,
  "s3.endpoint.region": s3.region,
  "s3.path.style.access": String(s3.pathStyle),
  "s3.connection.ssl.enabled": String(s3.endpoint.startsWith("https:")),
  "s3.aws.credentials.provider": PROVIDERS[s3Identity.kind],
  "s3.buffer.dir": SCRATCH.io,
  "s3.entropy.key": ENTROPY.key,
  "s3.entropy.length": ENTROPY.length,
  // Hadoop 3.3 deletes parent markers after each write, which some S3 servers refuse and all make slow.
  "s3.directory.marker.retention": "keep",
});

/** The tenant's Secret as files. */
export const s3SecretFiles = ({ s3Identity }: Tenant): PlannedContainer["secretFiles"] =>
  s3Identity.kind === "secret"
    ? { secret: s3Identity.secret, folder: MOUNTS.s3, keys: Object.values(S3_SECRET_KEYS) }
    : undefined;

import { listNames } from "../../../base/nearest.ts";
import type { EnvironmentContract, Tenant } from "../../../schema/contract.ts";
import type { SparkJob } from "../../../schema/job.ts";
import { refuse } from "../refusal.ts";
import { isS3, S3_SECRET_KEYS } from "../s3.ts";
import { SCRATCH } from "./layout.ts";

/** Files that the application consists of, in the spec's order. */
export const codeFiles = ({ application, files }: SparkJob): string[] => [
  application.file,
  ...(application.kind === "python" ? application.pyFiles : application.jars),
  ...files,
];

/** Refuses URLs that can't be put into Spark's comma-separated lists. */
export function checkLists(spec: SparkJob): void {
  const urls = codeFiles(spec)
    .slice(1)
    .filter((url) => url.includes(","));
  if (urls.length === 0) return;
  refuse({
    code: "comma-in-url",
    message: `Spark's lists of files are separated by commas: ${listNames(urls)} can't be in one.`,
    path: "application",
    hint: "Rename the file.",
  });
}

/** s3:// files that must exist before the run. `#name`, an alias for spark.files, is no part of the key. */
export const inputFiles = (spec: SparkJob): string[] => [
  ...new Set(
    codeFiles(spec)
      .filter(isS3)
      .map((url) => url.replace(/#[^#/]*$/, "")),
  ),
];

/**
 * Whether a job touches S3 as far as its spec tells: only then its pods get S3 settings and credentials. A script in the image that
 * names a bucket itself should have it in output.locations.
 */
export const usesS3 = (spec: SparkJob): boolean =>
  [
    ...codeFiles(spec),
    ...spec.arguments,
    ...spec.output.locations,
    spec.output.eventLog ?? "",
    ...Object.values(spec.conf),
    ...Object.values(spec.environment),
  ].some(isS3);

/** Hadoop 3.4, hence version 2 of the AWS SDK, came with Spark 4. */
const isSdk2 = (version: string): boolean => Number(version.split(".")[0]) >= 4;

const PROVIDERS = {
  secret: {
    sdk1: "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
    sdk2: "software.amazon.awssdk.auth.credentials.EnvironmentVariableCredentialsProvider",
  },
  "web-identity": {
    sdk1: "com.amazonaws.auth.WebIdentityTokenCredentialsProvider",
    sdk2: "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider",
  },
} as const satisfies Record<Tenant["s3Identity"]["kind"], { sdk1: string; sdk2: string }>;

const COMMITTER_FACTORY = "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory";

/** Settings that a job may change with `conf`: how output is committed. https://spark.apache.org/docs/latest/cloud-integration.html */
export const s3Defaults = (version: string): Record<string, string> => ({
  "spark.hadoop.fs.s3a.committer.name": "magic",
  "spark.hadoop.fs.s3a.committer.magic.enabled": "true",
  "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": COMMITTER_FACTORY,
  "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3": COMMITTER_FACTORY,
  "spark.sql.sources.commitProtocolClass": "org.apache.spark.internal.io.cloud.PathOutputCommitProtocol",
  "spark.sql.parquet.output.committer.class":
    "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
  // Hadoop 3.3 deletes parent markers after each write, which some S3 servers refuse and all make slow.
  ...(isSdk2(version) ? {} : { "spark.hadoop.fs.s3a.directory.marker.retention": "keep" }),
});

/** Where the store is and how pods sign; not for jobs to change. `s3://` is the same file system as Spark's own `s3a://`. */
export const s3Properties = (
  version: string,
  s3: EnvironmentContract["s3"],
  { s3Identity }: Tenant,
): Record<string, string> => ({
  "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
  "spark.hadoop.fs.s3a.endpoint": s3.endpoint,
  "spark.hadoop.fs.s3a.endpoint.region": s3.region,
  "spark.hadoop.fs.s3a.path.style.access": String(s3.pathStyle),
  "spark.hadoop.fs.s3a.connection.ssl.enabled": String(s3.endpoint.startsWith("https:")),
  "spark.hadoop.fs.s3a.buffer.dir": SCRATCH.s3,
  "spark.hadoop.fs.s3a.aws.credentials.provider":
    PROVIDERS[s3Identity.kind][isSdk2(version) ? "sdk2" : "sdk1"],
});

/** Variables from the tenant's Secret. */
export const s3SecretEnv = ({ s3Identity }: Tenant): { env: string; secret: string; key: string }[] =>
  s3Identity.kind === "secret"
    ? [
        { env: "AWS_ACCESS_KEY_ID", secret: s3Identity.secret, key: S3_SECRET_KEYS.id },
        { env: "AWS_SECRET_ACCESS_KEY", secret: s3Identity.secret, key: S3_SECRET_KEYS.secret },
      ]
    : [];

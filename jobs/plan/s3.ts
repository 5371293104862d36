import { listNames } from "../../base/nearest.ts";
import type { EnvironmentContract, Tenant } from "../../schema/contract.ts";
import type { FlinkPlan } from "../../schema/plan.ts";

/** Whether a text names something in S3. */
export const isS3 = (text: string): boolean => /\bs3a?:\/\//.test(text);

/** Keys of the tenant's Secret: schema/contract.ts. */
export const S3_SECRET_KEYS = { id: "access-key-id", secret: "secret-access-key" } as const;

/** Plain variables for the AWS SDK. Instance metadata is out of reach for pods: never wait for it. @param folder Of the token. */
export const s3Env = (
  s3: EnvironmentContract["s3"],
  { s3Identity }: Tenant,
  folder: string,
): Record<string, string> => ({
  AWS_REGION: s3.region,
  AWS_EC2_METADATA_DISABLED: "true",
  ...(s3Identity.kind === "web-identity"
    ? { AWS_ROLE_ARN: s3Identity.roleArn, AWS_WEB_IDENTITY_TOKEN_FILE: `${folder}/token` }
    : {}),
});

/** The token that pods of a tenant with a cloud identity need to sign S3 requests. */
export const webIdentity = ({ s3Identity }: Tenant, folder: string): FlinkPlan["webIdentity"] =>
  s3Identity.kind === "web-identity" ? { folder, audience: "sts.amazonaws.com" } : undefined;

/** Buckets that the tenant's identity most likely can't reach; it is the store that decides, hence a note. */
export function foreignBuckets(urls: readonly string[], tenant: Tenant): string[] {
  const buckets = new Set(
    urls.map((url) => /^s3:\/\/([^/]+)/.exec(url)?.[1] ?? "").filter((name) => name !== ""),
  );
  return [...buckets]
    .filter((name) => !tenant.buckets.includes(name))
    .map(
      (name) =>
        `Bucket "${name}" is not one of tenant "${tenant.id}" (${listNames(tenant.buckets)}): access may be refused.`,
    );
}

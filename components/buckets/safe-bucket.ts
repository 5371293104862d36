import * as s3 from "@pulumi/aws/s3/index.js";
import type * as pulumi from "@pulumi/pulumi";

/** Encryption of what lies in a bucket. */
export type BucketEncryption =
  | { readonly by: "s3" }
  | { readonly by: "key"; readonly keyArn: pulumi.Input<string> };

/** A statement of a bucket policy, for a bucket of this ARN. */
export type BucketStatement = (arn: string) => Readonly<Record<string, unknown>>;

/** What both kinds of bucket have. */
export interface SafeBucketArgs {
  readonly bucketName: string;
  readonly encryption: BucketEncryption;
  /** Statements beside the one that refuses plain HTTP. */
  readonly statements?: readonly BucketStatement[];
}

/** How the component that owns the bucket names and places its children. */
export interface Owner {
  readonly childName: (suffix: string) => string;
  readonly childOptions: (extra?: pulumi.CustomResourceOptions) => pulumi.CustomResourceOptions;
}

/** A bucket, made. */
export interface SafeBucket {
  readonly bucket: s3.Bucket;
  /** For settings that have to wait for the policy: S3 refuses two changes of a bucket at once. */
  readonly policy: s3.BucketPolicy;
}

/** A bucket that is encrypted, never public and speaks TLS only. */
export function safeBucket(owner: Owner, args: SafeBucketArgs, protect: boolean): SafeBucket {
  const { encryption } = args;
  const bucket = new s3.Bucket(
    owner.childName("bucket"),
    { bucket: args.bucketName, forceDestroy: false },
    owner.childOptions({ protect }),
  );
  new s3.BucketServerSideEncryptionConfiguration(
    owner.childName("encryption"),
    {
      bucket: bucket.id,
      rules: [
        encryption.by === "s3"
          ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
          : {
              applyServerSideEncryptionByDefault: {
                sseAlgorithm: "aws:kms",
                kmsMasterKeyId: encryption.keyArn,
              },
              // One call to KMS for many objects instead of one for each.
              bucketKeyEnabled: true,
            },
      ],
    },
    owner.childOptions(),
  );
  const block = new s3.BucketPublicAccessBlock(
    owner.childName("public-access"),
    {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    },
    owner.childOptions(),
  );
  const policy = new s3.BucketPolicy(
    owner.childName("policy"),
    {
      bucket: bucket.id,
      policy: bucket.arn.apply((arn) =>
        JSON.stringify({
          Version: "2012-10-17",
          Statement: [tlsOnly(arn), ...(args.statements ?? []).map((statement) => statement(arn))],
        }),
      ),
    },
    // S3 answers 409 to a policy and a public access block at the same time.
    owner.childOptions({ dependsOn: [block] }),
  );
  return { bucket, policy };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html */
const tlsOnly: BucketStatement = (arn) => ({
  Sid: "TlsOnly",
  Effect: "Deny",
  Principal: "*",
  Action: "s3:*",
  Resource: [arn, `${arn}/*`],
  Condition: { Bool: { "aws:SecureTransport": "false" } },
});

/** Refuses everything to roles, whatever their own policies say. */
export const refuseTo =
  (roleArns: readonly string[]): BucketStatement =>
  (arn) => ({
    Sid: "NotForRuns",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { ArnLike: { "aws:PrincipalArn": [...roleArns] } },
  });

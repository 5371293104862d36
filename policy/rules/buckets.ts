import { relationsOf } from "../relations.ts";
import type { ResourceView } from "../resource.ts";
import type { StackProblem, StackRule } from "../rule.ts";
import { holdsUnknown, isOn, isUnknown, items, read } from "../values.ts";

const BUCKETS = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"] as const;

const ENCRYPTIONS = [
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
] as const;

const BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
const BLOCKED = [
  "blockPublicAcls",
  "blockPublicPolicy",
  "ignorePublicAcls",
  "restrictPublicBuckets",
] as const;

const ALGORITHMS: readonly unknown[] = ["AES256", "aws:kms", "aws:kms:dsse"];

/** Whether a setting says what it must; what is not known yet does. */
function encrypts({ props }: ResourceView): boolean {
  const { rules } = props;
  const algorithms = items(rules).map(({ item }) =>
    read(item, "applyServerSideEncryptionByDefault", "sseAlgorithm"),
  );
  return holdsUnknown(rules) || algorithms.some((one) => isUnknown(one) || ALGORITHMS.includes(one));
}

/** Settings of a public access block that leave something open. */
const open = ({ props }: ResourceView): readonly string[] =>
  BLOCKED.filter((field) => !isUnknown(props[field]) && !isOn(props[field]));

export const privateBuckets: StackRule = {
  scope: "stack",
  name: "private-encrypted-buckets",
  description:
    "Give every bucket its own BucketServerSideEncryptionConfiguration, and a BucketPublicAccessBlock with all four settings true.",
  url: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html",
  check: (resources) => {
    const { ofType, names } = relationsOf(resources);
    return ofType(...BUCKETS).flatMap((bucket): readonly StackProblem[] => {
      const settings = (...types: readonly string[]): readonly ResourceView[] =>
        ofType(...types).filter((setting) => names(setting, "bucket", bucket, ["bucket"]));
      const problems: StackProblem[] = [];
      const encryptions = settings(...ENCRYPTIONS);
      if (encryptions.length === 0)
        problems.push({ resource: bucket, path: "encryption", message: "has no configuration of its own" });
      for (const resource of encryptions) {
        if (!encrypts(resource)) problems.push({ resource, path: "rules", message: "name no algorithm" });
      }
      const blocks = settings(BLOCK);
      if (blocks.length === 0)
        problems.push({ resource: bucket, path: "public access", message: "is not blocked" });
      for (const resource of blocks) {
        for (const path of open(resource)) problems.push({ resource, path, message: "is not true" });
      }
      return problems;
    });
  },
};

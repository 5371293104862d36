/** An IAM policy document. */
interface PolicyDocument {
  readonly Version: "2012-10-17";
  readonly Statement: readonly Readonly<Record<string, unknown>>[];
}

/** What a worker uses in S3. */
export interface WorkerBuckets {
  /** ARN of the bucket with Pulumi's state of job stacks. */
  readonly state: string;
  /** ARN of the bucket that logs and reports go to. */
  readonly logs: string;
  /** Names of tenants' buckets. */
  readonly tenants: readonly string[];
  /** ARN of the key that encrypts the state. */
  readonly key: string;
}

const allow = (Sid: string, Resource: readonly string[], ...Action: string[]) =>
  Resource.length === 0 ? [] : [{ Sid, Effect: "Allow", Action, Resource }];

/**
 * What a worker does in S3. It deletes no logs, and in tenants' buckets looks whether the files are there that a job names, and makes
 * folders for event logs, which are empty objects whose names end with a slash.
 */
export function workerPolicy({ state, logs, tenants, key }: WorkerBuckets): PolicyDocument {
  const [, partition = "aws"] = state.split(":");
  const theirs = [...new Set(tenants)].map((bucket) => `arn:${partition}:s3:::${bucket}`);
  const within = (buckets: readonly string[], what: string): string[] =>
    buckets.map((bucket) => `${bucket}/${what}`);
  return {
    Version: "2012-10-17",
    Statement: [
      // Without ListBucket a file that is missing is told as one that is forbidden.
      ...allow("Look", [state, logs, ...theirs], "s3:ListBucket"),
      ...allow("State", within([state], "*"), "s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
      // Of an upload that failed, the parts are removed.
      ...allow("Logs", within([logs], "*"), "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"),
      ...allow("Inputs", within(theirs, "*"), "s3:GetObject"),
      ...allow("Folders", within(theirs, "*/"), "s3:PutObject"),
      ...allow("Key", [key], "kms:Decrypt", "kms:GenerateDataKey"),
    ],
  };
}

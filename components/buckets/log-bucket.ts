import type { Provider } from "@pulumi/aws/provider.js";
import * as s3 from "@pulumi/aws/s3/index.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { safeBucket } from "./safe-bucket.ts";

/** Arguments of a {@link LogBucket}. */
export interface LogBucketArgs {
  readonly bucketName: string;
  /** Days after which logs and reports are deleted. */
  readonly expiryDays: number;
  readonly protect: boolean;
  readonly provider: Provider;
}

/**
 * Logs and reports of runs, for a while. Encrypted with S3's own keys and not the environment's: tenants' engines write
 * event logs here, and a grant on that key would open volumes and state as well.
 */
export class LogBucket extends Component {
  readonly bucketName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: LogBucketArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "buckets:LogBucket",
      name,
      { bucket: args.bucketName, expiryDays: args.expiryDays },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const { bucket } = safeBucket(
      {
        childName: (suffix) => this.childName(suffix),
        childOptions: (extra) => this.childOptions(extra),
      },
      { bucketName: args.bucketName, encryption: { by: "s3" } },
      args.protect,
    );
    new s3.BucketLifecycleConfiguration(
      this.childName("lifecycle"),
      {
        bucket: bucket.id,
        rules: [
          {
            id: "expiry",
            status: "Enabled",
            filter: { prefix: "" },
            expiration: { days: args.expiryDays },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
      },
      this.childOptions(),
    );
    this.bucketName = bucket.bucket;
    this.arn = bucket.arn;
    this.seal({ bucket: this.bucketName });
  }
}

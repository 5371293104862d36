import type { Provider } from "@pulumi/aws/provider.js";
import * as s3 from "@pulumi/aws/s3/index.js";
import * as pulumi from "@pulumi/pulumi";
import { Component } from "../core/component.ts";
import { refuseTo, safeBucket } from "./safe-bucket.ts";

/** Arguments of a {@link StateBucket}. */
export interface StateBucketArgs {
  readonly bucketName: string;
  readonly encryptionKeyArn: pulumi.Input<string>;
  /** Roles that run customers' code; the bucket refuses them. */
  readonly refusedRoleArns: readonly string[];
  /** @default 90 */
  readonly oldVersionsDays?: number;
  readonly protect: boolean;
  readonly provider: Provider;
}

/**
 * Pulumi's state of the job stacks. Every write keeps the version before it, so that a checkpoint that came out broken can be
 * taken back; whoever runs customers' code is refused.
 */
export class StateBucket extends Component {
  readonly bucketName: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;

  constructor(name: string, args: StateBucketArgs, options: pulumi.ComponentResourceOptions = {}) {
    super(
      "buckets:StateBucket",
      name,
      { bucket: args.bucketName },
      pulumi.mergeOptions(options, { providers: [args.provider] }),
    );
    const { bucket } = safeBucket(
      {
        childName: (suffix) => this.childName(suffix),
        childOptions: (extra) => this.childOptions(extra),
      },
      {
        bucketName: args.bucketName,
        encryption: { by: "key", keyArn: args.encryptionKeyArn },
        statements: args.refusedRoleArns.length > 0 ? [refuseTo(args.refusedRoleArns)] : [],
      },
      args.protect,
    );
    const versioning = new s3.BucketVersioning(
      this.childName("versioning"),
      { bucket: bucket.id, versioningConfiguration: { status: "Enabled" } },
      this.childOptions({ protect: args.protect }),
    );
    new s3.BucketLifecycleConfiguration(
      this.childName("lifecycle"),
      {
        bucket: bucket.id,
        rules: [
          {
            id: "old-versions",
            status: "Enabled",
            filter: { prefix: "" },
            noncurrentVersionExpiration: { noncurrentDays: args.oldVersionsDays ?? 90 },
            abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
          },
        ],
      },
      // Rules for old versions need versions.
      this.childOptions({ dependsOn: [versioning] }),
    );
    this.bucketName = bucket.bucket;
    this.arn = bucket.arn;
    this.seal({ bucket: this.bucketName });
  }
}

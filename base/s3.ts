import type { S3Client } from "@aws-sdk/client-s3";

/** Where an S3 store is and whose credentials to use; the credentials themselves stay in their file. */
export interface S3Location {
  readonly endpoint: string;
  readonly region: string;
  /** Buckets as path (`http://host/bucket`) instead of as host name. */
  readonly pathStyle: boolean;
  /** AWS shared credentials file. */
  readonly credentialsFile: string;
  readonly profile: string;
}

/** Until an answer begins, in milliseconds; a part of a log is 5 MiB at most. Three tries make a minute. */
const ANSWER_MS = 20_000;

/** An S3 client for `location`. Loads the SDK on first use, since few commands need it. */
export async function openS3(location: S3Location, answerMs = ANSWER_MS): Promise<S3Client> {
  const [{ S3Client }, { fromIni }] = await Promise.all([
    import("@aws-sdk/client-s3"),
    import("@aws-sdk/credential-provider-ini"),
  ]);
  return new S3Client({
    endpoint: location.endpoint,
    region: location.region,
    forcePathStyle: location.pathStyle,
    credentials: fromIni({ filepath: location.credentialsFile, profile: location.profile }),
    maxAttempts: 3,
    // A store that is away, or that hangs, is an answer too. Without the third member the SDK only logs that the time is over, and waits on:
    // https://github.com/smithy-lang/smithy-typescript/blob/main/packages/types/src/http/httpHandlerInitialization.ts
    requestHandler: {
      connectionTimeout: 3000,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
    },
  });
}

import { join } from "node:path";
import { cacheDir } from "../../base/paths.ts";
import { childEnv } from "../../base/process.ts";
import type { Connection } from "../../schema/connection.ts";

/**
 * The whole environment of the engine's process and of the CLI and plugins below it: allow-listed, with paths to secrets instead
 * of secrets. Variables: https://www.pulumi.com/docs/iac/cli/environment-variables/
 */
export function engineEnv(connection: Connection): Record<string, string> {
  const base = childEnv();
  return {
    ...base,
    PATH: [...connection.path, base["PATH"] ?? ""].join(":"),
    KUBECONFIG: connection.kubeconfig,
    PULUMI_HOME: connection.pulumi.home,
    PULUMI_BACKEND_URL: withoutMetadata(connection.pulumi.backendUrl),
    PULUMI_CONFIG_PASSPHRASE_FILE: connection.pulumi.passphraseFile,
    // A destroy from another process has no settings file, only the state.
    PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_ERROR_OUTPUT_STRING: "true",
    PULUMI_SUPPRESS_NEO_LINK: "true",
    // A job's state lives for minutes: a copy of it beside each of its versions is of no use.
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
    // The CLI lives for seconds: it collects its garbage only when its heap nears this. A tenth less CPU time than with Go's own setting.
    GOGC: "400",
    GOMEMLIMIT: "160MiB",
    // It keeps a log of each call in PULUMI_HOME, 500 MB by default, and looks at all of them at each start.
    PULUMI_LOG_ROTATION_MAX_TOTAL_MB: "50",
    // For backends in S3, such as the lab's own server.
    AWS_SHARED_CREDENTIALS_FILE: connection.s3.credentialsFile,
    AWS_PROFILE: connection.s3.profile,
    AWS_REGION: connection.s3.region,
    NODE_COMPILE_CACHE: base["NODE_COMPILE_CACHE"] ?? join(cacheDir(), "node"),
  };
}

/**
 * A state in files has a second file beside each, for metadata that nobody reads, and that one is not replaced in one step: a Pulumi
 * that is killed while it writes leaves it empty, and the state can't be read any more (seen in one of four kills).
 * https://pkg.go.dev/gocloud.dev/blob/fileblob#hdr-URLs
 */
function withoutMetadata(backendUrl: string): string {
  if (!backendUrl.startsWith("file://") || backendUrl.includes("metadata=")) return backendUrl;
  return `${backendUrl}${backendUrl.includes("?") ? "&" : "?"}metadata=skip`;
}

import { dirname } from "node:path";
import { EXIT, UserError } from "../base/errors.ts";
import { Connection } from "../schema/connection.ts";
import { readIfThere } from "./host/files.ts";
import type { LabPaths } from "./paths.ts";
import { LAB, LAB_TENANT } from "./settings.ts";
import { shellQuote } from "./shell.ts";
import type { KubernetesPlugin, PulumiTools } from "./tools/types.ts";

/** What differs between the kinds of lab. */
export interface ConnectionFacts {
  readonly pulumi: PulumiTools;
  readonly kubernetesPlugin: KubernetesPlugin;
  /** Undefined where the user brings none. */
  readonly kubectl: string | undefined;
  readonly s3Endpoint: string;
}

/** How every command reaches this lab. */
export function connectionOf(paths: LabPaths, facts: ConnectionFacts): Connection {
  return {
    apiVersion: "mayfly.dev/connection/v1",
    name: LAB.name,
    kubeconfig: paths.kubeconfig,
    contract: paths.contract,
    path: [...new Set([facts.pulumi.bin, ...(facts.kubectl === undefined ? [] : [dirname(facts.kubectl)])])],
    pulumi: {
      home: paths.pulumiHome,
      // Without gocloud's file of metadata beside each: it is not replaced in one step, and a Pulumi that reads it meanwhile, as that of
      // the environment reads its own stack, says "failed to load checkpoint: EOF".
      backendUrl: `file://${paths.pulumiState}?metadata=skip`,
      passphraseFile: paths.passphrase,
      kubernetesPlugin: facts.kubernetesPlugin.source,
    },
    s3: {
      endpoint: facts.s3Endpoint,
      region: LAB.region,
      pathStyle: true,
      credentialsFile: paths.s3Credentials,
      profile: "mayfly",
    },
  };
}

/** @throws UserError `lab-missing` where no lab was ever set up. */
export function readConnection(paths: LabPaths): Connection {
  const text = readIfThere(paths.connection);
  if (text === undefined) {
    throw new UserError("lab-missing", "There is no lab on this machine yet.", {
      path: paths.connection,
      exitCode: EXIT.unavailable,
      hint: "Run 'npx mayfly lab up' first.",
    });
  }
  return Connection.parse(JSON.parse(text));
}

/** What `pulumi` and `kubectl` need in their environment. Paths to secrets, never secrets. */
export const pulumiVariables = (connection: Connection): Readonly<Record<string, string>> => ({
  KUBECONFIG: connection.kubeconfig,
  PULUMI_HOME: connection.pulumi.home,
  PULUMI_BACKEND_URL: connection.pulumi.backendUrl,
  PULUMI_CONFIG_PASSPHRASE_FILE: connection.pulumi.passphraseFile,
  // The salt of this machine's passphrase is in the state; a stack file without it, such as the committed one, goes on with that.
  PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
  PULUMI_SKIP_UPDATE_CHECK: "true",
  PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
});

/** The ledger that a shell shall use. The password stays in its file. */
export interface LedgerVariables {
  readonly MAYFLY_LEDGER: string;
  readonly PGPASSFILE: string;
}

/** Shell lines that put the lab's tools, cluster, Pulumi and S3 into a shell: for `eval "$(mayfly lab env)"`. */
export function environmentLines(
  connection: Connection,
  connectionFile: string,
  ledger?: LedgerVariables,
): string[] {
  const variables: Readonly<Record<string, string>> = {
    ...pulumiVariables(connection),
    MAYFLY_CONNECTION: connectionFile,
    AWS_ENDPOINT_URL_S3: connection.s3.endpoint,
    AWS_SHARED_CREDENTIALS_FILE: connection.s3.credentialsFile,
    AWS_PROFILE: connection.s3.profile,
    AWS_REGION: connection.s3.region,
    ...ledger,
  };
  return [
    `export PATH=${connection.path.map(shellQuote).join(":")}:"$PATH"`,
    // A passphrase in the shell would win over the file.
    "unset PULUMI_CONFIG_PASSPHRASE",
    ...Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`),
    `# AWS_PROFILE=${LAB_TENANT} is the tenant's own identity.`,
  ];
}

import { readFileSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import type { Connection } from "../../schema/connection.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import { parseCredentials } from "../cluster/s3.ts";
import { run } from "../host/run.ts";

const Secret = z.object({ data: z.record(z.string(), z.string()).default({}) });

/**
 * Puts each tenant's S3 identity from the lab's credentials file (profile = tenant id) into the tenant's namespace. By the
 * Kubernetes API and not by Pulumi: a customer's secret never gets into a state file.
 * @returns Whether anything changed.
 * @throws UserError `tenant-identity-missing`.
 */
export async function ensureTenantSecrets(
  contract: EnvironmentContract,
  connection: Connection,
  env: Readonly<Record<string, string>>,
): Promise<boolean> {
  const profiles = parseCredentials(readFileSync(connection.s3.credentialsFile, "utf8"));
  let changed = false;
  for (const { id, namespace, s3Identity } of contract.tenants) {
    if (s3Identity.kind !== "secret") continue;
    const credentials = profiles.get(id);
    if (credentials === undefined) {
      throw new UserError("tenant-identity-missing", `There is no S3 identity for tenant ${id}.`, {
        path: connection.s3.credentialsFile,
        hint: "Run 'mayfly lab down' and 'mayfly lab up' to make the lab's identities anew.",
      });
    }
    const data = {
      "access-key-id": base64(credentials.accessKeyId),
      "secret-access-key": base64(credentials.secretAccessKey),
    };
    const get = ["get", "secret", s3Identity.secret, `--namespace=${namespace}`];
    const there = await run("kubectl", [...get, "--ignore-not-found", "--output=json"], { env });
    if (there.trim() !== "") {
      const current = Secret.parse(JSON.parse(there)).data;
      if (Object.entries(data).every(([key, value]) => current[key] === value)) continue;
    }
    // By standard input: arguments are visible to every process of the machine.
    await run("kubectl", ["apply", "--server-side", "--field-manager=mayfly-lab", "--filename=-"], {
      env,
      input: JSON.stringify({
        apiVersion: "v1",
        kind: "Secret",
        metadata: {
          name: s3Identity.secret,
          namespace,
          labels: { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/tenant": id },
        },
        type: "Opaque",
        data,
      }),
    });
    changed = true;
  }
  return changed;
}

const base64 = (text: string): string => Buffer.from(text, "utf8").toString("base64");

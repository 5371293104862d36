import { readFileSync } from "node:fs";
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import type { Connection } from "../../schema/connection.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import { parseCredentials } from "../cluster/s3.ts";
import { run } from "../host/run.ts";

const Secret = z.object({ data: z.record(z.string(), z.string()).default({}) });

/** A tenant's Secret as it should be. */
interface Wanted {
  readonly tenant: string;
  readonly namespace: string;
  readonly name: string;
  readonly data: Readonly<Record<string, string>>;
}

type Env = Readonly<Record<string, string>>;

/** Profiles of the lab's credentials file are called after the tenants. @throws UserError `tenant-identity-missing`. */
function wantedSecrets(contract: EnvironmentContract, { s3 }: Connection): Wanted[] {
  const profiles = parseCredentials(readFileSync(s3.credentialsFile, "utf8"));
  return contract.tenants.flatMap(({ id, namespace, s3Identity }) => {
    if (s3Identity.kind !== "secret") return [];
    const credentials = profiles.get(id);
    if (credentials === undefined) {
      throw new UserError("tenant-identity-missing", `There is no S3 identity for tenant ${id}.`, {
        path: s3.credentialsFile,
        hint: "Run 'mayfly lab down' and 'mayfly lab up' to make the lab's identities anew.",
      });
    }
    const data = {
      "access-key-id": credentials.accessKeyId,
      "secret-access-key": credentials.secretAccessKey,
    };
    return [{ tenant: id, namespace, name: s3Identity.secret, data }];
  });
}

async function isThere({ namespace, name, data }: Wanted, env: Env): Promise<boolean> {
  const get = ["get", "secret", name, `--namespace=${namespace}`, "--ignore-not-found", "--output=json"];
  const text = await run("kubectl", get, { env });
  if (text.trim() === "") return false;
  const current = Secret.parse(JSON.parse(text)).data;
  return Object.entries(encoded(data)).every(([key, value]) => current[key] === value);
}

/** Whether every tenant's Secret is there with the identity of the lab's credentials file. */
export async function tenantSecretsAreThere(
  contract: EnvironmentContract,
  connection: Connection,
  env: Env,
): Promise<boolean> {
  const found = await Promise.all(
    wantedSecrets(contract, connection).map(async (wanted) => await isThere(wanted, env)),
  );
  return found.every(Boolean);
}

/**
 * Puts each tenant's S3 identity from the lab's credentials file into the tenant's namespace. By the Kubernetes API and not by
 * Pulumi: a customer's secret never gets into a state file.
 * @throws UserError `tenant-identity-missing`.
 */
export async function putTenantSecrets(
  contract: EnvironmentContract,
  connection: Connection,
  env: Env,
): Promise<void> {
  for (const { tenant, namespace, name, data } of wantedSecrets(contract, connection))
    await putSecret({ namespace, name, labels: { "mayfly.dev/tenant": tenant } }, data, env);
}

/** Puts a Secret by the Kubernetes API. */
export async function putSecret(
  { namespace, name, labels }: SecretPlace,
  data: Readonly<Record<string, string>>,
  env: Env,
): Promise<void> {
  // By standard input: arguments are visible to every process of the machine.
  await run("kubectl", ["apply", "--server-side", "--field-manager=mayfly-lab", "--filename=-"], {
    env,
    input: JSON.stringify({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace, labels: { "app.kubernetes.io/managed-by": "mayfly", ...labels } },
      type: "Opaque",
      data: encoded(data),
    }),
  });
}

interface SecretPlace {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

const encoded = (data: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(data).map(([key, text]) => [key, Buffer.from(text, "utf8").toString("base64")]),
  );

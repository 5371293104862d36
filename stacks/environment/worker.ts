import type * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { WORKER_NAMESPACE, Worker, type WorkerArgs } from "../../components/platform/worker.ts";
import { SECRET_KEYS, WORKER_PATHS } from "../../components/platform/worker-paths.ts";
import type { Connection } from "../../schema/connection.ts";
import type { EnvironmentContract } from "../../schema/contract.ts";
import type { EksWorker } from "../../schema/environment/index.ts";
import type { Identity, WorkerGround } from "./foundation.ts";

/** What the rest of the environment tells a worker. */
export interface WorkerSurroundings {
  readonly identity: Identity;
  readonly contract: pulumi.Input<EnvironmentContract>;
  readonly fencePolicies: pulumi.Input<string[]>;
  readonly stateRoles: WorkerArgs["stateRoles"];
  readonly tenants: WorkerArgs["tenants"];
  readonly provider: kubernetes.Provider;
}

const CA_FILE = "ledger-ca.crt";
const CREDENTIALS_FILE = "s3-credentials";
const PROFILE = "mayfly";

/** Mayfly's worker on the environment's cluster. */
export function environmentWorker(ground: WorkerGround, around: WorkerSurroundings): Worker {
  const { config, s3 } = ground;
  const { identity, tenants, fencePolicies, stateRoles, provider } = around;
  const roleArn = s3.by === "secret" ? undefined : s3.roleArn;
  return new Worker(
    "worker",
    {
      namespace: WORKER_NAMESPACE,
      environment: identity.name,
      image: config.image,
      replicas: config.replicas,
      slots: config.slots,
      secret: config.secret,
      s3: s3.by,
      ledger: ledgerUrl(config.ledger),
      documents: pulumi
        .all([around.contract, roleArn])
        .apply(([contract, role]) => documentsOf(ground, contract, role)),
      egress: ground.egress,
      tenants,
      fencePolicies,
      stateRoles,
      placement: ground.placement,
      labels: identity.labels,
      provider,
    },
    { dependsOn: ground.after },
  );
}

/** Without a password: that is in a file. https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS */
function ledgerUrl({ host, port, database, user, ca }: EksWorker["ledger"]): string {
  const root = ca === undefined ? "" : `&sslrootcert=${WORKER_PATHS.config}/${CA_FILE}`;
  return `postgres://${user}@${host}:${port}/${database}?sslmode=verify-full${root}`;
}

/** The files in its `/etc/mayfly`, by name. Pure. */
export function documentsOf(
  ground: Pick<WorkerGround, "config" | "state" | "plugin" | "s3">,
  contract: EnvironmentContract,
  roleArn: string | undefined,
): Record<string, string> {
  const { config, s3 } = ground;
  const connection: Connection = {
    apiVersion: "mayfly.dev/connection/v1",
    name: contract.name,
    kubeconfig: `${WORKER_PATHS.config}/kubeconfig`,
    contract: `${WORKER_PATHS.config}/contract.json`,
    path: [WORKER_PATHS.pulumi],
    pulumi: {
      home: WORKER_PATHS.pulumiHome,
      backendUrl: ground.state,
      passphraseFile: `${WORKER_PATHS.secret}/${SECRET_KEYS.passphrase}`,
      kubernetesPlugin: ground.plugin,
    },
    s3: {
      ...contract.s3,
      credentialsFile:
        s3.by === "secret"
          ? `${WORKER_PATHS.secret}/${SECRET_KEYS.s3Credentials}`
          : `${WORKER_PATHS.config}/${CREDENTIALS_FILE}`,
      profile: s3.by === "secret" ? s3.profile : PROFILE,
    },
  };
  return {
    "connection.json": json(connection),
    "contract.json": json(contract),
    kubeconfig: json(KUBECONFIG),
    ...(config.ledger.ca === undefined ? {} : { [CA_FILE]: config.ledger.ca }),
    ...(roleArn === undefined ? {} : { [CREDENTIALS_FILE]: webIdentityProfile(roleArn) }),
  };
}

const json = (document: object): string => `${JSON.stringify(document, undefined, 2)}\n`;

/** The cluster that the pod is in, by the token that the kubelet renews. */
const KUBECONFIG = {
  apiVersion: "v1",
  kind: "Config",
  "current-context": "in-cluster",
  clusters: [
    {
      name: "in-cluster",
      cluster: {
        server: "https://kubernetes.default.svc",
        "certificate-authority": `${WORKER_PATHS.token}/ca.crt`,
      },
    },
  ],
  users: [{ name: "worker", user: { tokenFile: `${WORKER_PATHS.token}/token` } }],
  contexts: [{ name: "in-cluster", context: { cluster: "in-cluster", user: "worker" } }],
};

/**
 * A profile without a secret: AWS's SDKs for JavaScript and Go both trade the token for credentials.
 * https://docs.aws.amazon.com/sdkref/latest/guide/access-assume-role-web.html
 */
const webIdentityProfile = (roleArn: string): string =>
  [
    `[${PROFILE}]`,
    `role_arn = ${roleArn}`,
    `web_identity_token_file = ${WORKER_PATHS.aws}/token`,
    "role_session_name = mayfly-worker",
    "",
  ].join("\n");

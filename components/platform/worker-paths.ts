/** Folders and files in a worker's pod. What lies in `/opt` is in the image (images/worker). */
export const WORKER_PATHS = {
  /** ConfigMap: connection, contract, kubeconfig. */
  config: "/etc/mayfly",
  /** Secret. */
  secret: "/etc/mayfly-secret",
  /** Token and certificate for the Kubernetes API. */
  token: "/var/run/secrets/kubernetes.io/serviceaccount",
  /** Token for AWS. */
  aws: "/var/run/secrets/mayfly.dev/aws",
  /** Writable. */
  work: "/var/mayfly",
  /** The Pulumi CLI and its language host. */
  pulumi: "/opt/mayfly/pulumi/bin",
  /** PULUMI_HOME, with plugins. */
  pulumiHome: "/opt/mayfly/pulumi/home",
} as const;

/** Keys of the worker's Secret. */
export const SECRET_KEYS = {
  /** Postgres' password file, for the ledger's user. */
  ledgerPassword: "pgpass",
  /** That Pulumi encrypts secrets in states with. */
  passphrase: "passphrase",
  /** AWS shared credentials file; where there is no web identity. */
  s3Credentials: "s3-credentials",
} as const;

import { S3_SECRET_KEYS } from "../s3.ts";
import { COORDINATOR, MOUNTS, PRIVATE, SCRATCH, SECRET_FILE } from "./layout.ts";

const HEAD = `#!/bin/bash
# Written by Mayfly (jobs/plan/flink/scripts.ts). Arguments: the whole java command.
set -euo pipefail
umask 077
`;

/** Password of a file that its mode protects: PKCS #12 has to have one. */
export const KEYSTORE_PASSWORD = "internal";

/**
 * Mutual TLS between the run's processes with one key for all of them, which each pod makes of the run's secret by itself: the secret's
 * SHA-256 as private key on the curve P-256, in the form of RFC 5915. The certificates differ in their times and signatures only; each is
 * signed by the same key under the same name, so every pod's own is the trust anchor of all others. Each names its pod's address, which
 * Flink 2.3 checks between TaskManagers (its Netty does by default). The key is never in an argument.
 * https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/security/security-ssl/
 */
const KEYSTORE = `key=$(
  { printf '\\x30\\x31\\x02\\x01\\x01\\x04\\x20'
    openssl dgst -sha256 -binary ${SECRET_FILE}
    printf '\\xa0\\x0a\\x06\\x08\\x2a\\x86\\x48\\xce\\x3d\\x03\\x01\\x07'
  } | openssl ec -inform DER 2>/dev/null
)
certificate=$(
  openssl req -x509 -new -key /dev/fd/3 -subj /CN=mayfly-run -days 730 -sha256 \\
    -addext "subjectAltName=IP:$POD_IP,DNS:${COORDINATOR}" 3<<<"$key"
)
openssl pkcs12 -export -name run -out ${PRIVATE.keystore} -passout pass:${KEYSTORE_PASSWORD} <<<"$key"$'\\n'"$certificate"
unset key certificate
`;

/** The tenant's Secret as the AWS SDK reads it. */
const CREDENTIALS = `printf '[default]\\naws_access_key_id = %s\\naws_secret_access_key = %s\\n' \\
  "$(<${MOUNTS.s3}/${S3_SECRET_KEYS.id})" "$(<${MOUNTS.s3}/${S3_SECRET_KEYS.secret})" >${PRIVATE.credentials}
`;

/** JobManager and TaskManager start alike. @param credentials Whether the tenant signs by a Secret. */
export const startScript = (
  credentials: boolean,
): string => `${HEAD}mkdir -p ${Object.values(SCRATCH).join(" ")}
${KEYSTORE}${credentials ? CREDENTIALS : ""}cd ${SCRATCH.work}
exec "$@"
`;

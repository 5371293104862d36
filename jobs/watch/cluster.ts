import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { type Api, ApiError, createApi, errorCode } from "./api.ts";
import { type Credentials, readKubeconfig } from "./kubeconfig.ts";
import type { ClusterFacts } from "./types.ts";

/** A cluster one can talk to. Opaque: made by {@link openCluster}, given to the functions of jobs/watch. */
export interface Cluster {
  /** Address of the API server, for messages. */
  readonly server: string;
  readonly api: Api;
  readonly credentials: Credentials;
  /** Closes kept-alive connections. */
  readonly close: () => void;
}

/**
 * Reads a kubeconfig; talks to nobody yet.
 * @throws UserError `kubeconfig-missing`, `kubeconfig-invalid`
 */
export async function openCluster(kubeconfig: string, context?: string): Promise<Cluster> {
  const credentials = await readKubeconfig(kubeconfig, context);
  const api = createApi(credentials);
  return {
    server: credentials.server.href.replace(/\/$/, ""),
    api,
    credentials,
    close: () => {
      api.close();
    },
  };
}

const NETWORK = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EPIPE",
  "EPROTO",
  "HPE_INVALID_CONSTANT",
]);

/** Node's codes for a server certificate that it does not trust: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const isCertificateCode = (code: string): boolean =>
  /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_|HOSTNAME_MISMATCH|INVALID_CA)/.test(code);

/** Says what a failed call means to the user; gives anything else back as it is. */
export function explain(error: unknown, cluster: Cluster, now = new Date()): unknown {
  const { validTo, kubeconfig } = cluster.credentials;
  const code = errorCode(error);
  const common = { path: kubeconfig, cause: error };
  const expired = validTo !== undefined && validTo < now;
  // An API server refuses an ended client certificate with 401, or by an alert in the TLS handshake.
  if (expired && (code !== "ECONNREFUSED" || error instanceof ApiError)) {
    return new UserError(
      "cluster-credentials-expired",
      `The credentials in the kubeconfig ended ${validTo.toISOString()}.`,
      {
        ...common,
        hint: "Have the kubeconfig written anew: for the lab, `npx mayfly lab up`; on EKS, `aws eks update-kubeconfig`.",
        exitCode: EXIT.denied,
      },
    );
  }
  if (isCertificateCode(code)) {
    return new UserError(
      "cluster-certificate",
      code === "CERT_HAS_EXPIRED"
        ? `The certificate of ${cluster.server} has expired.`
        : `The certificate of ${cluster.server} does not fit the kubeconfig (${code}).`,
      {
        ...common,
        hint: "The kubeconfig may belong to another or an older cluster: have it written anew (`npx mayfly lab up` for the lab).",
        exitCode: EXIT.denied,
      },
    );
  }
  if (NETWORK.has(code)) {
    return new UserError(
      "cluster-unreachable",
      `The API server ${cluster.server} does not answer (${code}).`,
      {
        ...common,
        hint: "See whether it runs: `kubectl cluster-info`; for the lab, `npx mayfly lab status` and `npx mayfly lab up`.",
        exitCode: EXIT.unreachable,
      },
    );
  }
  if (!(error instanceof ApiError)) return error;
  switch (error.status) {
    case 401:
      return new UserError(
        "cluster-unauthorised",
        `${cluster.server} does not accept the kubeconfig's credentials.`,
        {
          ...common,
          hint: "The kubeconfig may belong to another or an older cluster: have it written anew (`npx mayfly lab up` for the lab).",
          exitCode: EXIT.denied,
        },
      );
    case 403:
      return new UserError("cluster-forbidden", `${cluster.server} forbids it: ${error.message}`, {
        ...common,
        hint: "Ask the platform's people for the rights that docs/report.md lists, or try `kubectl auth can-i --list`.",
        exitCode: EXIT.denied,
      });
    default:
      return new UserError(
        "cluster-unreachable",
        `${cluster.server} answered ${error.status}: ${error.message || "no message"}`,
        {
          ...common,
          hint: "Try again in a moment; `kubectl get --raw /readyz?verbose` says what ails it.",
          exitCode: EXIT.unreachable,
        },
      );
  }
}

/** Runs `work`; what fails is thrown as a `UserError` where the user can do something about it. */
export async function explained<T>(cluster: Cluster, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? error : explain(error, cluster);
  }
}

const Namespace = z.object({ metadata: z.object({ uid: z.string() }) });
const Version = z.object({ gitVersion: z.string() });

/**
 * Asks whether the cluster answers, lets us in, and is the one that the contract speaks of.
 * @throws UserError `cluster-unreachable`, `cluster-certificate`, `cluster-credentials-expired`, `cluster-unauthorised`,
 * `cluster-forbidden`, `cluster-wrong`
 */
export async function checkCluster(
  cluster: Cluster,
  expect: { readonly clusterId?: string; readonly environment?: string } = {},
): Promise<ClusterFacts> {
  return await explained(cluster, async () => {
    const [namespace, version] = await Promise.all([
      cluster.api.get("/api/v1/namespaces/kube-system"),
      cluster.api.get("/version"),
    ]);
    const read = z.object({ namespace: Namespace, version: Version }).safeParse({ namespace, version });
    if (!read.success) {
      throw new UserError("cluster-unreachable", `${cluster.server} answers, but not as Kubernetes does.`, {
        path: cluster.credentials.kubeconfig,
        hint: "Something else listens at this address: check `server` in the kubeconfig.",
        exitCode: EXIT.unreachable,
      });
    }
    const clusterId = read.data.namespace.metadata.uid;
    if (expect.clusterId !== undefined && expect.clusterId !== clusterId) {
      throw new UserError(
        "cluster-wrong",
        `${cluster.server} is another cluster (${clusterId}) than the one of environment ` +
          `${expect.environment ?? "in the contract"} (${expect.clusterId}).`,
        {
          path: cluster.credentials.kubeconfig,
          hint: "Kubeconfig and contract must be of one cluster. If the cluster was made anew, bring its environment up again (`npx mayfly lab up` for the lab).",
          exitCode: EXIT.invalidInput,
        },
      );
    }
    return { clusterId, version: read.data.version.gitVersion };
  });
}

import type { types } from "@pulumi/kubernetes";

type Volume = types.input.core.v1.Volume;

/** Who talks to Kubernetes; also the names of their accounts. */
export const ACCOUNTS = ["coordinator", "workers"] as const;
export type Account = (typeof ACCOUNTS)[number];

/** Name of the volume with the token. */
export const TOKEN = "kubernetes-api";

/**
 * Kubernetes' own default for the tokens that it mounts. A token that is asked for with just this number stays valid for clients that read it
 * once: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (service-account-extend-token-expiration).
 */
const TOKEN_SECONDS = 3607;

/** A token of the pod's account for the Kubernetes API, as the kubelet would mount it by itself; that stays off for all pods. */
export const tokenVolume: Volume = {
  name: TOKEN,
  projected: {
    defaultMode: 0o440,
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: TOKEN_SECONDS } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

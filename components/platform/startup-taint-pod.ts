import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Taint } from "../nodes/autoscaler-tags.ts";

type Container = types.input.core.v1.Container;

/** Images of the pod; by digest where they come from a registry. */
export interface StartupTaintImages {
  /** Holds a program `kubectl`, such as registry.k8s.io/kubectl. Needs no shell. */
  readonly kubectl: string;
  /** Does nothing, such as registry.k8s.io/pause. */
  readonly pause: string;
  /** @default IfNotPresent */
  readonly pullPolicy?: "IfNotPresent" | "Never";
}

/** Felix's health on its node: https://docs.tigera.io/calico/latest/reference/felix/configuration (HealthPort). */
const FELIX = { host: "127.0.0.1", port: 9099, path: "/readiness" };

/** What the pod asks for on each node, in millicores and MiB: less for runs. */
export const STARTUP_TAINT_POD = { cpu: 20, memory: 80 } as const;

/**
 * The pod that takes the taint off its node. Three init containers, each of which lets the next one start:
 *
 * 1. `calico`: a sidecar that does nothing but has a start-up probe, which the kubelet asks Felix on the host's network.
 * 2. `put`: puts the taint on where it isn't there, so that the next one succeeds also on a node that lost it long ago.
 * 3. `take`: takes it off.
 */
export function taintPodSpec(
  images: StartupTaintImages,
  serviceAccountName: pulumi.Input<string>,
  { key, value, effect }: Taint,
): types.input.core.v1.PodSpec {
  return {
    serviceAccountName,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    hostNetwork: true,
    // The host's own: cluster DNS may not run yet.
    dnsPolicy: "Default",
    priorityClassName: "system-node-critical",
    terminationGracePeriodSeconds: 1,
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [{ operator: "Exists" }],
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_534,
      runAsGroup: 65_534,
      seccompProfile: { type: "RuntimeDefault" },
    },
    initContainers: [
      {
        ...pause("calico", images),
        restartPolicy: "Always",
        // Half an hour; the kubelet then starts it again.
        startupProbe: { httpGet: FELIX, periodSeconds: 1, failureThreshold: 1800 },
      },
      kubectl("put", images, ["--overwrite", `${key}=${value}:${effect}`]),
      kubectl("take", images, [`${key}:${effect}-`]),
    ],
    containers: [pause("done", images)],
  };
}

const LOCKED = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

const pause = (name: string, images: StartupTaintImages): Container => ({
  name,
  image: images.pause,
  imagePullPolicy: images.pullPolicy ?? "IfNotPresent",
  resources: {
    requests: { cpu: "10m", memory: "16Mi", "ephemeral-storage": "1Mi" },
    limits: { cpu: "10m", memory: "16Mi", "ephemeral-storage": "1Mi" },
  },
  securityContext: LOCKED,
});

const kubectl = (name: string, images: StartupTaintImages, what: readonly string[]): Container => ({
  name,
  image: images.kubectl,
  imagePullPolicy: images.pullPolicy ?? "IfNotPresent",
  command: ["kubectl"],
  // Kubernetes itself puts the variable in.
  args: ["taint", "nodes", "$(NODE_NAME)", ...what],
  env: [{ name: "NODE_NAME", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
  resources: {
    // It runs for a second, but a pod counts as its largest init container for as long as it lives: more CPU is only allowed, not
    // asked for.
    requests: { cpu: "10m", memory: "64Mi", "ephemeral-storage": "1Mi" },
    limits: { cpu: "500m", memory: "64Mi", "ephemeral-storage": "1Mi" },
  },
  securityContext: LOCKED,
});

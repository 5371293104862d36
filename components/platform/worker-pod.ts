import type { types } from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { cpu, mebibytes } from "../core/quantities.ts";
import { type Placement, placed } from "./placement.ts";
import { SECRET_KEYS, WORKER_PATHS } from "./worker-paths.ts";

type PodSpec = types.input.core.v1.PodSpec;
type Volume = types.input.core.v1.Volume;
type Source = types.input.core.v1.VolumeProjection;

/** A worker's pod, as its component knows it. */
export interface WorkerPod {
  readonly image: { readonly reference: string; readonly pullPolicy: "Always" | "IfNotPresent" | "Never" };
  /** Runs at a time. */
  readonly slots: number;
  readonly serviceAccountName: pulumi.Input<string>;
  /** ConfigMap with the connection and what it names. */
  readonly config: pulumi.Input<string>;
  /** Secret with the keys of {@link SECRET_KEYS}; made by somebody else. */
  readonly secret: string;
  /** Whether S3's credentials are in that Secret; else the pod has a token of audience `sts.amazonaws.com`. */
  readonly s3: "secret" | "web-identity";
  /** Address of the ledger without its password. */
  readonly ledger: string;
  readonly placement: Placement;
  /** What the topology is spread over. */
  readonly selector: Readonly<Record<string, string>>;
}

/** User and group of the worker's image (images/worker). */
const WORKER_USER = 65_532;
const HEALTH_PORT = 8080;

/** How long a worker has to hand its runs over: 20 s for those that are about to end, and Pulumi's patience (jobs/engine/command.ts). */
export const GRACE_SECONDS = 90;

/** Seconds for which the API server and AWS take a token; the kubelet puts a new one there before it ends. */
const TOKEN_SECONDS = 3600;

/**
 * What a worker with so many slots asks for, in millicores and MiB: by jobs/work/limits.ts it begins no run that would leave less than
 * 256 MiB, and goes by 350 MiB for each; 512 for the worker itself and what the kernel keeps of files. Seen in the lab with two slots: 160 MiB
 * resident at rest, 612 MiB at most, files included.
 */
export const workerResources = (slots: number): { readonly cpu: number; readonly memory: number } => ({
  cpu: Math.max(500, 250 * slots),
  memory: Math.ceil((512 + 256 + 350 * slots) / 256) * 256,
});

/** MiB of the worker's own folders: plans, stacks' work folders, logs on their way to S3. */
const DISK = { work: 2048, temporary: 512 } as const;

/** The pod spec, as Pod Security `restricted` wants it. */
export function workerPodSpec(pod: WorkerPod): PodSpec {
  const { nodeSelector, tolerations } = placed(pod.placement);
  return {
    serviceAccountName: pod.serviceAccountName,
    // Mounted below, for an hour at a time.
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: WORKER_USER,
      runAsGroup: WORKER_USER,
      fsGroup: WORKER_USER,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationGracePeriodSeconds: GRACE_SECONDS,
    nodeSelector,
    tolerations,
    topologySpreadConstraints: ["topology.kubernetes.io/zone", "kubernetes.io/hostname"].map(
      (topologyKey) => ({
        maxSkew: 1,
        topologyKey,
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { ...pod.selector } },
      }),
    ),
    containers: [container(pod)],
    volumes: volumes(pod),
  };
}

function container(pod: WorkerPod): types.input.core.v1.Container {
  const { image, slots, ledger } = pod;
  const asked = workerResources(slots);
  const resources = {
    cpu: cpu(asked.cpu),
    memory: mebibytes(asked.memory),
    "ephemeral-storage": mebibytes(DISK.work + DISK.temporary + 256),
  };
  return {
    name: "worker",
    image: image.reference,
    imagePullPolicy: image.pullPolicy,
    args: ["work", "--slots", String(slots), "--json", "--health", String(HEALTH_PORT)],
    env: [
      { name: "MAYFLY_CONNECTION", value: `${WORKER_PATHS.config}/connection.json` },
      { name: "MAYFLY_LEDGER", value: ledger },
      { name: "PGPASSFILE", value: `${WORKER_PATHS.secret}/${SECRET_KEYS.ledgerPassword}` },
      { name: "HOME", value: WORKER_PATHS.work },
      { name: "XDG_STATE_HOME", value: `${WORKER_PATHS.work}/state` },
      { name: "XDG_CACHE_HOME", value: `${WORKER_PATHS.work}/cache` },
      { name: "TMPDIR", value: "/tmp" },
    ],
    ports: [{ name: "health", containerPort: HEALTH_PORT, protocol: "TCP" }],
    resources: { requests: resources, limits: { ...resources } },
    // It may wait for its ledger and its cluster as long as it wants: it is not ready then, but nothing is better for a restart.
    startupProbe: probe("/livez", { periodSeconds: 2, failureThreshold: 60 }),
    // Its loop has not turned for a minute.
    livenessProbe: probe("/livez", { periodSeconds: 20, failureThreshold: 3, timeoutSeconds: 5 }),
    // It could look at its ledger just now; a new version that can't doesn't take the place of the old one.
    readinessProbe: probe("/readyz", { periodSeconds: 5, failureThreshold: 3, timeoutSeconds: 5 }),
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts: [
      { name: "config", mountPath: WORKER_PATHS.config, readOnly: true },
      { name: "secret", mountPath: WORKER_PATHS.secret, readOnly: true },
      { name: "token", mountPath: WORKER_PATHS.token, readOnly: true },
      ...(pod.s3 === "secret" ? [] : [{ name: "aws", mountPath: WORKER_PATHS.aws, readOnly: true }]),
      { name: "work", mountPath: WORKER_PATHS.work },
      { name: "temporary", mountPath: "/tmp" },
    ],
  };
}

const probe = (path: string, times: Omit<types.input.core.v1.Probe, "httpGet">) => ({
  httpGet: { path, port: HEALTH_PORT },
  ...times,
});

const token = (path: string, audience?: string): Source => ({
  serviceAccountToken: {
    path,
    expirationSeconds: TOKEN_SECONDS,
    ...(audience === undefined ? {} : { audience }),
  },
});

function volumes(pod: WorkerPod): Volume[] {
  const { ledgerPassword, passphrase, s3Credentials } = SECRET_KEYS;
  const keys = [ledgerPassword, passphrase, ...(pod.s3 === "secret" ? [s3Credentials] : [])];
  return [
    { name: "config", configMap: { name: pod.config, defaultMode: 0o444 } },
    {
      name: "secret",
      secret: { secretName: pod.secret, defaultMode: 0o440, items: keys.map((key) => ({ key, path: key })) },
    },
    {
      name: "token",
      projected: {
        defaultMode: 0o440,
        sources: [
          token("token"),
          { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        ],
      },
    },
    ...(pod.s3 === "secret"
      ? []
      : [{ name: "aws", projected: { defaultMode: 0o440, sources: [token("token", "sts.amazonaws.com")] } }]),
    { name: "work", emptyDir: { sizeLimit: mebibytes(DISK.work) } },
    { name: "temporary", emptyDir: { sizeLimit: mebibytes(DISK.temporary) } },
  ];
}

import type { types } from "@pulumi/kubernetes";
import type { Placement, Plan, PlannedContainer, PlannedScratch } from "../../schema/plan.ts";
import type { Labels } from "../core/labels.ts";
import { cpu, mebibytes } from "../core/quantities.ts";
import { type Account, TOKEN, tokenVolume } from "./token.ts";

type Container = types.input.core.v1.Container;
type PodSpec = types.input.core.v1.PodSpec;
type Volume = types.input.core.v1.Volume;

/** Names of the objects in a run's namespace that its pods refer to. */
export const FILES = "files";
export const AUTHENTICATION = "authentication";
export const SERVICE_ACCOUNT = "runner";

/** Name of the volume with the tenant's Secret as files. */
const SECRET_FILES = "secret-files";

/** User and group of the engine images (recipes in images/). */
const ENGINE_USER = 185;

/** What every pod of a run shares; a plan fits. */
export type PodContext = Pick<Plan, "image" | "mounts" | "webIdentity" | "kubernetes">;

/** One pod of a plan. */
export interface PlannedPod {
  readonly labels: Labels;
  /** Whose account it has, where the engine talks to Kubernetes. */
  readonly account: Account;
  readonly scratch: PlannedScratch;
  /** MiB of /tmp. */
  readonly temporary: number;
  readonly placement: Placement;
  /** Seconds between SIGTERM and SIGKILL. */
  readonly gracePeriod: number;
  /** Init containers that stay beside the main one. */
  readonly sidecars: readonly PlannedContainer[];
  readonly main: PlannedContainer;
}

/**
 * The pod spec of a plan's pod, as Pod Security `restricted` wants it, without any right to the Kubernetes API unless the plan says so: the
 * customer's code reads whatever its pod can read. The restart policy is the caller's.
 */
export function podSpec(context: PodContext, pod: PlannedPod): PodSpec {
  return {
    ...confinedPod(pod),
    ...(context.kubernetes === undefined ? {} : { serviceAccountName: pod.account }),
    // An init container that restarts always is a sidecar: it starts first and is stopped when the main container has ended,
    // so that the pod ends with the main container's exit code
    // (https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/).
    initContainers: pod.sidecars.map((sidecar) => ({
      ...container(context, sidecar),
      restartPolicy: "Always",
    })),
    containers: [mainContainer(context, pod.main)],
    volumes: [
      ...volumes(pod),
      ...webIdentityVolume(context),
      ...secretFilesVolume(pod.main),
      ...(context.kubernetes === undefined ? [] : [tokenVolume]),
    ],
  };
}

/** What all pods of a run have: the account without rights, the user, and where they may run. */
export function confinedPod(pod: Pick<PlannedPod, "gracePeriod" | "placement">): Omit<PodSpec, "containers"> {
  return {
    serviceAccountName: SERVICE_ACCOUNT,
    automountServiceAccountToken: false,
    // Else every Service of the namespace becomes a handful of environment variables.
    enableServiceLinks: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: ENGINE_USER,
      runAsGroup: ENGINE_USER,
      // Lets the user write to volumes and read the authentication secret, whose mode is 0440.
      fsGroup: ENGINE_USER,
      fsGroupChangePolicy: "OnRootMismatch",
      seccompProfile: { type: "RuntimeDefault" },
    },
    terminationGracePeriodSeconds: pod.gracePeriod,
    nodeSelector: pod.placement.nodeSelector,
    tolerations: pod.placement.tolerations.map(({ key, operator, value, effect }) => ({
      key,
      operator,
      effect,
      ...(value === undefined ? {} : { value }),
    })),
  };
}

/** The main container alone runs the customer's code, and has the tenant's cloud identity where there is one. */
function mainContainer(context: PodContext, planned: PlannedContainer): Container {
  const more = [
    { name: "web-identity", folder: context.webIdentity?.folder },
    { name: SECRET_FILES, folder: planned.secretFiles?.folder },
    { name: TOKEN, folder: context.kubernetes?.folder },
  ].flatMap(({ name, folder }) =>
    folder === undefined ? [] : [{ name, mountPath: folder, readOnly: true }],
  );
  return { ...container(context, planned), volumeMounts: [...mounts(context), ...more] };
}

/** The main container's Secret as files. */
const secretFilesVolume = ({ secretFiles }: PlannedContainer): Volume[] =>
  secretFiles === undefined
    ? []
    : [
        {
          name: SECRET_FILES,
          secret: {
            secretName: secretFiles.secret,
            defaultMode: 0o440,
            items: secretFiles.keys.map((key) => ({ key, path: key })),
          },
        },
      ];

/** A token of the service account that says who the pod is to the cloud, and opens nothing in Kubernetes (its audience differs). */
const webIdentityVolume = ({ webIdentity }: PodContext): Volume[] =>
  webIdentity === undefined
    ? []
    : [
        {
          name: "web-identity",
          projected: {
            defaultMode: 0o440,
            sources: [{ serviceAccountToken: { audience: webIdentity.audience, path: "token" } }],
          },
        },
      ];

const mounts = ({ mounts: folders }: PodContext): types.input.core.v1.VolumeMount[] => [
  { name: "files", mountPath: folders.config, readOnly: true },
  { name: "authentication", mountPath: folders.authentication, readOnly: true },
  { name: "scratch", mountPath: folders.scratch },
  { name: "temporary", mountPath: folders.temporary },
];

const container = (context: PodContext, planned: PlannedContainer): Container =>
  // The image is read-only; what an engine writes to its working folder (warehouse, derby.log) goes to the scratch disk.
  confinedContainer(context.image, context.mounts.scratch, planned, mounts(context));

/** A container as all pods of a run have it: requests equal limits, a read-only image, no way to more rights. */
export function confinedContainer(
  image: Plan["image"],
  workingDir: string,
  planned: PlannedContainer,
  volumeMounts: types.input.core.v1.VolumeMount[],
): Container {
  const resources = {
    cpu: cpu(planned.cpu),
    memory: mebibytes(planned.memory),
    "ephemeral-storage": mebibytes(planned.disk),
  };
  return {
    name: planned.name,
    image: image.reference,
    imagePullPolicy: image.pullPolicy,
    command: planned.command,
    workingDir,
    env: [
      // Before the plan's variables: Kubernetes expands $(NAME) from entries above only.
      { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      ...Object.entries(planned.env).map(([name, value]) => ({ name, value })),
      ...planned.secretEnv.map(({ env, secret, key }) => ({
        name: env,
        valueFrom: { secretKeyRef: { name: secret, key } },
      })),
    ],
    ports: planned.ports.map(({ name, port }) => ({ name, containerPort: port, protocol: "TCP" })),
    // Equal: a pod that gets what it asked for, no more and no less, has a predictable run time and the Guaranteed class.
    resources: { requests: resources, limits: { ...resources } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
    },
    volumeMounts,
  };
}

const volumes = (pod: PlannedPod): Volume[] => [
  { name: "files", configMap: { name: FILES, defaultMode: 0o444 } },
  { name: "authentication", secret: { secretName: AUTHENTICATION, defaultMode: 0o440 } },
  { name: "temporary", emptyDir: { sizeLimit: mebibytes(pod.temporary) } },
  scratchVolume(pod.scratch, pod.labels),
];

function scratchVolume(scratch: PlannedScratch, labels: Labels): Volume {
  switch (scratch.kind) {
    case "emptyDir":
      return { name: "scratch", emptyDir: { sizeLimit: mebibytes(scratch.size) } };
    case "storageClass":
      // A generic ephemeral volume lives and dies with its pod, for Job and StatefulSet alike; a claim of the StatefulSet would
      // outlive the pod and bind its successor to shuffle files that no executor owns any more
      // (https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes).
      return {
        name: "scratch",
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { labels },
            spec: {
              accessModes: ["ReadWriteOnce"],
              storageClassName: scratch.storageClass,
              resources: { requests: { storage: mebibytes(scratch.size) } },
            },
          },
        },
      };
  }
}

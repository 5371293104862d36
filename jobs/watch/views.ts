// Boundary: reads Kubernetes objects as they come over the wire into the plain facts of observe.ts.
import { z } from "zod";
import type { ContainerEnd, ContainerView, EventView, Observation, PodRole, PodView } from "./observe.ts";

const time = z
  .string()
  .nullish()
  .transform((text) => (text === undefined || text === null ? undefined : Date.parse(text)));
const text = z
  .string()
  .nullish()
  .transform((value) => (value === null || value === "" ? undefined : value));

export const Metadata = z.object({
  name: z.string(),
  namespace: text,
  uid: z.string().default(""),
  resourceVersion: z.string().default(""),
  creationTimestamp: time,
  deletionTimestamp: time,
  deletionGracePeriodSeconds: z.number().nullish(),
  labels: z
    .record(z.string(), z.string())
    .nullish()
    .transform((labels) => labels ?? {}),
  finalizers: z
    .array(z.string())
    .nullish()
    .transform((finalizers) => finalizers ?? []),
});

const Terminated = z.object({
  exitCode: z.number(),
  reason: text,
  message: text,
  startedAt: time,
  finishedAt: time,
});

const State = z
  .object({
    waiting: z.object({ reason: text, message: text }).nullish(),
    running: z.object({ startedAt: time }).nullish(),
    terminated: Terminated.nullish(),
  })
  .nullish();

const Container = z.object({
  name: z.string(),
  image: z.string().default(""),
  restartCount: z.number().default(0),
  ready: z.boolean().default(false),
  state: State,
  lastState: State,
});

const Condition = z.object({
  type: z.string(),
  status: z.string(),
  reason: text,
  message: text,
  lastTransitionTime: time,
});

const Pod = z.object({
  metadata: Metadata,
  spec: z.object({ nodeName: text }),
  status: z.object({
    phase: z.string().default("Pending"),
    reason: text,
    message: text,
    podIP: text,
    startTime: time,
    conditions: z
      .array(Condition)
      .nullish()
      .transform((list) => list ?? []),
    initContainerStatuses: z.array(Container).nullish(),
    containerStatuses: z.array(Container).nullish(),
  }),
});

const ended = (state: z.infer<typeof Terminated> | null | undefined): ContainerEnd | undefined =>
  state === null || state === undefined
    ? undefined
    : {
        exitCode: state.exitCode,
        reason: state.reason,
        message: state.message,
        startedAt: state.startedAt,
        finishedAt: state.finishedAt,
      };

const containerView = (status: z.infer<typeof Container>): ContainerView => ({
  name: status.name,
  image: status.image,
  restarts: status.restartCount,
  ready: status.ready,
  waiting:
    status.state?.waiting?.reason === undefined
      ? undefined
      : { reason: status.state.waiting.reason, message: status.state.waiting.message },
  runningSince: status.state?.running?.startedAt,
  ended: ended(status.state?.terminated),
  endedBefore: ended(status.lastState?.terminated),
});

const version = (metadata: z.infer<typeof Metadata>): number => Number(metadata.resourceVersion || "NaN");

/** When a deletion was asked for: the API server writes the time at which the grace period ends. */
const deletionAskedAt = (metadata: z.infer<typeof Metadata>): number | undefined =>
  metadata.deletionTimestamp === undefined
    ? undefined
    : metadata.deletionTimestamp - (metadata.deletionGracePeriodSeconds ?? 0) * 1000;

/** Roles that plan and stack write into the label `mayfly.dev/role`. */
const ROLES: Readonly<Record<string, PodRole>> = {
  coordinator: "coordinator",
  worker: "worker",
  workers: "worker",
};

const isService = (role: string): role is `service-${string}` => role.startsWith("service-");

const roleOf = (label: string): PodRole => ROLES[label] ?? (isService(label) ? label : "other");

/** Reads a pod. @throws ZodError where it is no pod: a defect, or a server that is no Kubernetes. */
export function podView(object: unknown): PodView {
  const { metadata, spec, status } = Pod.parse(object);
  const scheduled = status.conditions.find(({ type }) => type === "PodScheduled");
  const disruption = status.conditions.find(
    ({ type, status: value }) => type === "DisruptionTarget" && value === "True",
  );
  return {
    uid: metadata.uid,
    name: metadata.name,
    version: version(metadata),
    role: roleOf(metadata.labels["mayfly.dev/role"] ?? ""),
    ip: status.podIP,
    node: spec.nodeName,
    phase: status.phase,
    reason: status.reason,
    message: status.message,
    createdAt: metadata.creationTimestamp ?? 0,
    scheduledAt: scheduled?.status === "True" ? scheduled.lastTransitionTime : undefined,
    startedAt: status.startTime,
    deletionAskedAt: deletionAskedAt(metadata),
    disruption:
      disruption === undefined
        ? undefined
        : {
            reason: disruption.reason ?? "DisruptionTarget",
            message: disruption.message ?? "",
            at: disruption.lastTransitionTime,
          },
    unschedulable:
      scheduled?.status === "False" ? (scheduled.message ?? scheduled.reason ?? "unschedulable") : undefined,
    containers: [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])].map(
      containerView,
    ),
  };
}

const Event = z.object({
  metadata: Metadata,
  involvedObject: z.object({ kind: z.string().default(""), name: z.string().default(""), uid: text }),
  type: text,
  reason: text,
  message: text,
  count: z.number().nullish(),
  series: z.object({ count: z.number().nullish() }).nullish(),
});

export function eventView(object: unknown): EventView {
  const event = Event.parse(object);
  return {
    uid: event.metadata.uid,
    kind: event.involvedObject.kind,
    name: event.involvedObject.name,
    about: event.involvedObject.uid,
    warning: event.type === "Warning",
    reason: event.reason ?? "",
    message: event.message ?? "",
    count: Math.max(event.count ?? 1, event.series?.count ?? 1),
  };
}

const Controller = z.object({
  metadata: Metadata,
  status: z
    .object({
      conditions: z
        .array(Condition)
        .nullish()
        .transform((list) => list ?? []),
    })
    .nullish(),
});

export function controllerObservation(
  kind: "Job" | "StatefulSet",
  object: unknown,
  gone: boolean,
  at: number,
): Extract<Observation, { type: "controller" }> {
  const { metadata, status } = Controller.parse(object);
  const failed = status?.conditions.find(({ type, status: value }) => type === "Failed" && value === "True");
  return {
    type: "controller",
    at,
    kind,
    name: metadata.name,
    version: version(metadata),
    deleted: gone || metadata.deletionTimestamp !== undefined,
    failed:
      failed === undefined ? undefined : { reason: failed.reason ?? "Failed", message: failed.message ?? "" },
  };
}

export function namespaceObservation(
  object: unknown,
  gone: boolean,
  at: number,
): Extract<Observation, { type: "namespace" }> {
  const metadata = z.object({ metadata: Metadata }).parse(object).metadata;
  const deletedAt = deletionAskedAt(metadata);
  return {
    type: "namespace",
    at,
    uid: metadata.uid,
    state: gone ? "gone" : deletedAt === undefined ? "present" : "terminating",
    deletedAt,
  };
}

import type { RunEvent } from "../../schema/events.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Plan, PlannedContainer } from "../../schema/plan.ts";
import type { Phase, PodReport, RunReport } from "../../schema/report.ts";
import type { StateOrigin } from "../../schema/stream.ts";
import type { ContainerView, ObservedPod, ObservedRun } from "../watch/observe.ts";
import { type StreamFacts, streamReport } from "./stream.ts";

/** All that a report is built from. */
export interface ReportInput {
  readonly plan: Plan;
  readonly outcome: Outcome;
  readonly startedAt: Date;
  readonly endedAt: Date;
  /** Phases that were entered, in order; each lasts until the next or the end. */
  readonly phases: readonly { readonly phase: Phase; readonly at: Date }[];
  /** When things were first true; left out where they never were. */
  readonly milestones: {
    readonly objectsExist?: Date | undefined;
    readonly driverStarted?: Date | undefined;
    readonly result?: Date | undefined;
    readonly gone?: Date | undefined;
  };
  readonly observed: ObservedRun | undefined;
  /** s3:// locations of saved logs. */
  readonly logs: readonly string[];
  readonly left: readonly string[];
  readonly kept: boolean;
  /** The attempts before. */
  readonly earlier?: NonNullable<RunReport["earlier"]> | undefined;
  readonly larger?: RunReport["larger"] | undefined;
  /** Of a stream alone. */
  readonly stream?: Omit<StreamFacts, "startedFrom"> | undefined;
}

/** Rounded to what can be told apart: times here are sampled or have whole seconds on one side. */
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** Pure: the report of one attempt. */
export function buildReport(input: ReportInput): RunReport {
  const { plan, observed, startedAt, endedAt, milestones, earlier = [], larger } = input;
  // Times may come from two helpers, whose clocks differ: none is before another that it followed.
  const seconds = (from: Date, to: Date): number =>
    round(Math.max(0, to.getTime() - from.getTime()) / 1000, 3);
  const since = (date: Date): number => seconds(startedAt, date);
  const heldUntil = milestones.gone ?? endedAt;
  const pods = observed === undefined ? [] : podReports(plan, observed, heldUntil);
  const asked = { coreSeconds: 0, gibSeconds: 0 };
  for (const pod of pods) {
    for (const container of plannedContainers(plan, pod.role)) {
      asked.coreSeconds += (container.cpu / 1000) * pod.secondsHeld;
      asked.gibSeconds += (container.memory / 1024) * pod.secondsHeld;
    }
  }
  const used = observed === undefined ? undefined : usedOf(observed);
  const cost = plan.cost;
  return {
    apiVersion: "mayfly.dev/report/v1",
    environment: plan.environment,
    tenant: plan.tenant,
    job: plan.job,
    run: plan.run,
    attempt: plan.attempt,
    engine: plan.engine,
    version: plan.version,
    pool: plan.placed.pool,
    zone: plan.placed.zone,
    outcome: input.outcome,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt.toISOString(),
    phases: input.phases.map(({ phase, at }, index) => {
      const end = input.phases[index + 1]?.at ?? endedAt;
      return { phase, startedAt: at.toISOString(), seconds: seconds(at, end) };
    }),
    milestones: {
      ...(milestones.objectsExist === undefined ? {} : { objectsExist: since(milestones.objectsExist) }),
      ...(milestones.driverStarted === undefined ? {} : { driverStarted: since(milestones.driverStarted) }),
      ...(milestones.result === undefined ? {} : { result: since(milestones.result) }),
      ...(milestones.gone === undefined ? {} : { gone: since(milestones.gone) }),
    },
    pods,
    usage: {
      asked: { coreSeconds: round(asked.coreSeconds), gibSeconds: round(asked.gibSeconds) },
      ...(used === undefined ? {} : { used }),
    },
    ...(cost === undefined
      ? {}
      : {
          cost: {
            // The rate is for all planned cores at once; pods that came later or ended earlier cost less.
            amount: round((cost.perHour * asked.coreSeconds) / ((plan.quota.cpu / 1000) * 3600), 4),
            currency: cost.currency,
            asOf: cost.asOf,
          },
        }),
    output: [...plan.output.locations, ...(plan.output.eventLog === undefined ? [] : [plan.output.eventLog])],
    logs: [...input.logs],
    left: [...input.left],
    kept: input.kept,
    ...(earlier.length === 0 ? {} : { earlier: [...earlier] }),
    ...(larger === undefined ? {} : { larger }),
    ...(input.stream === undefined
      ? {}
      : { stream: streamReport(observed?.stream ?? [], { ...input.stream, startedFrom: originOf(plan) }) }),
  };
}

/** State that an attempt starts with. */
export function originOf(plan: Plan): StateOrigin | undefined {
  switch (plan.engine) {
    case "flink":
      return plan.restore && { location: plan.restore.location, kind: plan.restore.kind };
    case "spark":
      return undefined;
  }
}

function plannedContainers(plan: Plan, role: string): readonly PlannedContainer[] {
  if (role === "coordinator") return [...plan.coordinator.sidecars, plan.coordinator.driver];
  if (role === "worker") return [plan.workers.container];
  const service = plan.services?.find(({ name }) => role === `service-${name}`);
  return service === undefined ? [] : [service.container];
}

/** Undefined where nobody measured: unknown is not zero. */
function usedOf(observed: ObservedRun): { coreSeconds: number; gibSeconds: number } | undefined {
  const usages = Object.values(observed.pods).flatMap(({ usage }) => Object.values(usage));
  if (observed.usageRefused !== undefined || usages.length === 0) return undefined;
  const sum = (pick: (usage: (typeof usages)[number]) => number | undefined): number =>
    usages.reduce((total, usage) => total + (pick(usage) ?? 0), 0);
  return {
    coreSeconds: round(sum(({ cpuSeconds }) => cpuSeconds)),
    gibSeconds: round(sum(({ mibSeconds }) => mibSeconds) / 1024),
  };
}

/** A pod that is seen on a node so much later than it was put there was found at work. */
const FOUND_MS = 60_000;

/** How long a pod held its resources, in seconds: from its node on until it ended, went, or `until`. */
function secondsHeld({ view, nodeSeenAt, goneSeenAt }: ObservedPod, until: number): number {
  if (nodeSeenAt === undefined) return 0;
  const ends = view.containers.map(({ ended }) => ended?.finishedAt);
  const finished =
    view.phase === "Succeeded" || view.phase === "Failed"
      ? ends.reduce((latest, end) => (end === undefined ? latest : Math.max(latest ?? 0, end)), undefined)
      : undefined;
  // Both by the cluster's clock, which may differ from this machine's.
  if (finished !== undefined && view.scheduledAt !== undefined) {
    return round(Math.max(0, (finished - view.scheduledAt) / 1000));
  }
  // A helper that took the run over saw it late; clocks don't differ by so much as that.
  const foundAtWork = view.scheduledAt !== undefined && nodeSeenAt - view.scheduledAt > FOUND_MS;
  const since = foundAtWork ? view.scheduledAt : nodeSeenAt;
  return round(Math.max(0, ((goneSeenAt ?? until) - since) / 1000));
}

/** Pods as a report shows them, from what was observed until `now`. */
export function podReports(plan: Plan, observed: ObservedRun, now: Date): PodReport[] {
  return Object.values(observed.pods)
    .toSorted(
      (a, b) =>
        a.view.role.localeCompare(b.view.role) ||
        a.view.name.localeCompare(b.view.name, "en", { numeric: true }) ||
        a.firstSeenAt - b.firstSeenAt,
    )
    .map((pod) => {
      const { view } = pod;
      const reason = view.disruption?.reason ?? view.reason;
      const planned = plannedContainers(plan, view.role);
      return {
        name: view.name,
        role: view.role,
        ...(view.node === undefined ? {} : { node: view.node }),
        phase: pod.goneSeenAt === undefined ? view.phase : "Gone",
        ...(reason === undefined ? {} : { reason }),
        secondsHeld: secondsHeld(pod, now.getTime()),
        containers: view.containers.flatMap((container) => {
          const limit = planned.find(({ name }) => name === container.name)?.memory;
          return limit === undefined ? [] : [containerReport(pod, container, limit)];
        }),
      };
    });
}

function containerReport(
  pod: ObservedPod,
  container: ContainerView,
  limitMib: number,
): PodReport["containers"][number] {
  const end = container.ended ?? container.endedBefore;
  const usage = pod.usage[container.name];
  const reason = pod.oomKilled[container.name]?.reason ?? end?.reason ?? container.waiting?.reason;
  return {
    name: container.name,
    limitMib,
    ...(end === undefined ? {} : { exitCode: end.exitCode }),
    ...(reason === undefined ? {} : { reason }),
    restarts: container.restarts,
    ...(usage?.peakMemoryMib === undefined ? {} : { peakMemoryMib: round(usage.peakMemoryMib) }),
    ...(usage?.cpuSeconds === undefined ? {} : { cpuSeconds: round(usage.cpuSeconds, 2) }),
  };
}

/** The event that says what is about to be made. */
export function plannedEvent(plan: Plan, at: Date): Extract<RunEvent, { type: "planned" }> {
  const { workers, coordinator, placed, deadlines, cost } = plan;
  const from = originOf(plan);
  const containers = [
    ...coordinator.sidecars,
    coordinator.driver,
    ...Array.from({ length: workers.count }, () => workers.container),
  ];
  const sum = (pick: (container: PlannedContainer) => number): number =>
    containers.reduce((total, container) => total + pick(container), 0);
  return {
    type: "planned",
    at: at.toISOString(),
    run: plan.run,
    job: plan.job,
    tenant: plan.tenant,
    namespace: plan.namespace,
    pods: workers.count + 1,
    cpu: sum(({ cpu }) => cpu),
    memory: sum(({ memory }) => memory),
    pool: placed.pool,
    zone: placed.zone,
    ...(deadlines.run === undefined ? {} : { deadlineSeconds: deadlines.run }),
    ...(cost === undefined ? {} : { cost }),
    ...(from === undefined ? {} : { from }),
  };
}

/** The last driver lines to show when a run failed. */
export const lastDriverLines = (observed: ObservedRun, count = 20): readonly string[] =>
  observed.driverLog.tail.slice(-count).map(({ line }) => line);

import type { EventType, RunPhase } from "./machine-types.ts";

/**
 * Every change of phase that can happen, by phase and event; events that leave the phase as it is are not in it. A test walks all
 * states and finds these changes and no others.
 */
export const TRANSITIONS: Readonly<
  Record<RunPhase, Readonly<Partial<Record<EventType, readonly RunPhase[]>>>>
> = {
  new: {
    submitted: ["queued"],
    cancelRequested: ["cancelled"],
  },
  queued: {
    leaseAcquired: ["planning"],
    leaseRefused: ["refused"],
    helperRestarted: ["adrift"],
    deadline: ["failed"],
    cancelRequested: ["cancelled"],
  },
  waiting: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    retryDue: ["planning"],
    deadline: ["failed"],
    cancelRequested: ["cancelled"],
  },
  planning: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    planned: ["creating"],
    failed: ["queued", "waiting", "failed"],
    deadline: ["queued", "waiting", "failed"],
    cancelRequested: ["cancelled"],
  },
  creating: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    refused: ["queued", "waiting", "failed", "refused"],
    driverStarted: ["running"],
    verdict: ["finishing"],
    failed: ["finishing", "destroying"],
    deadline: ["finishing", "destroying"],
    cancelRequested: ["finishing", "destroying"],
  },
  running: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    verdict: ["finishing"],
    failed: ["finishing"],
    deadline: ["finishing"],
    cancelRequested: ["finishing"],
    suspendRequested: ["suspending"],
  },
  suspending: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    verdict: ["finishing"],
    savepointTaken: ["finishing"],
    failed: ["running", "finishing"],
    deadline: ["running", "finishing"],
    cancelRequested: ["finishing"],
  },
  finishing: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    logsSaved: ["destroying", "kept"],
    failed: ["destroying", "kept"],
    deadline: ["destroying", "kept"],
  },
  destroying: {
    leaseAcquired: ["recovering"],
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    destroyed: ["succeeded", "suspended", "failed", "cancelled", "lost"],
    stackRemoved: ["queued", "waiting", "succeeded", "suspended", "failed", "cancelled", "lost"],
    deadline: ["succeeded", "suspended", "failed", "cancelled", "lost"],
  },
  recovering: {
    leaseLost: ["adrift"],
    helperRestarted: ["adrift"],
    recovered: [
      "planning",
      "creating",
      "running",
      "suspending",
      "finishing",
      "destroying",
      "failed",
      "cancelled",
    ],
    failed: ["destroying"],
    deadline: ["destroying"],
  },
  adrift: {
    leaseAcquired: ["planning", "recovering", "failed", "cancelled", "lost"],
  },
  kept: {
    removalRequested: ["adrift"],
  },
  succeeded: { removalRequested: ["adrift"] },
  suspended: { removalRequested: ["adrift"] },
  failed: { removalRequested: ["adrift"] },
  cancelled: { removalRequested: ["adrift"] },
  lost: { removalRequested: ["adrift"] },
  refused: {},
};

/** Phases that end a run, in the order of the diagram. */
const TERMINAL: readonly RunPhase[] = ["succeeded", "suspended", "failed", "cancelled", "lost", "refused"];

/** The table as a Mermaid state diagram, one arrow for each pair of phases, labelled with the events that lead along it. */
export function diagram(): string {
  const arrows = new Map<string, string[]>();
  for (const [from, events] of Object.entries(TRANSITIONS)) {
    for (const [event, targets] of Object.entries(events)) {
      for (const to of targets) {
        const arrow = `${from} --> ${to}`;
        arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
      }
    }
  }
  const lines = [...arrows].map(([arrow, events]) => `    ${arrow}: ${events.join(", ")}`);
  const ends = TERMINAL.map((phase) => `    ${phase} --> [*]`);
  return ["stateDiagram-v2", "    [*] --> new", ...lines, ...ends].join("\n");
}

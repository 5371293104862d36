// How pods of a run come to be lost, in words.
import type { ContainerEnd, ObservedPod } from "./observe.ts";

/**
 * Nobody knows how it ended. The kubelet says so of a pod that it lost sight of; containerd, once it is started again, of a container whose
 * process it can't find: code 255, reason Unknown (unknownExitCode and unknownExitReason of its CRI server).
 */
export const isUnknown = ({ reason, exitCode }: ContainerEnd): boolean =>
  reason === "ContainerStatusUnknown" || (reason === "Unknown" && exitCode === 255);

/** Whether the kubelet evicted it for filling its disk. */
export const filledDisk = ({ view }: ObservedPod): boolean =>
  view.reason === "Evicted" && /ephemeral[- ]storage|emptyDir|EmptyDir/.test(view.message ?? "");

/** Codes of a process that a signal ended: 128 and the signal's number. */
const SIGNALS: Readonly<Record<number, string>> = { 137: "SIGKILL", 143: "SIGTERM" };

/** `it was killed (exit code 137, SIGKILL)` where somebody else ended it; undefined for a process's own code. */
export const endedBySignal = ({ exitCode }: ContainerEnd): string | undefined => {
  const signal = SIGNALS[exitCode];
  if (signal === undefined) return undefined;
  return `it was ${signal === "SIGKILL" ? "killed" : "told to end"} (exit code ${exitCode}, ${signal})`;
};

/** `it was taken off node m7g-4xlarge-1: EvictionByEvictionAPI`, for a pod that goes or is gone; undefined for one that stays. */
export function takenAway({ view, goneSeenAt }: ObservedPod): string | undefined {
  const { disruption, deletionAskedAt, phase, reason, message, node } = view;
  if (disruption !== undefined) {
    const words = disruption.message === "" ? "" : `, ${disruption.message}`;
    return `it was taken off node ${node ?? "?"}: ${disruption.reason}${words}`;
  }
  if (goneSeenAt !== undefined || deletionAskedAt !== undefined) return "its pod was deleted";
  if (phase !== "Failed" && phase !== "Unknown" && reason !== "NodeLost") return undefined;
  const text = [reason, message?.trim()].filter((part) => part !== undefined).join(", ");
  return `its pod failed: ${text === "" ? phase : text}`;
}

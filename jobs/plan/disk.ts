import type { JobSpec } from "../../schema/job.ts";
import type { PlannedScratch } from "../../schema/plan.ts";
import { mib } from "./quantities.ts";

/** MiB of a container's own logs on the node's disk. */
export const LOGS_MIB = 64;

/** MiB of /tmp: settings with the run's secret, native libraries. User code gets TMPDIR on the scratch volume. */
export const TEMPORARY_MIB = 256;

/** Local disk of each pod. @param moreMib Added to what the job asks for. */
export function plannedScratch({ scratch }: Pick<JobSpec, "scratch">, moreMib = 0): PlannedScratch {
  const size = mib(scratch.size) + moreMib;
  return scratch.kind === "emptyDir"
    ? { kind: scratch.kind, size }
    : { kind: scratch.kind, storageClass: scratch.storageClass, size };
}

/** Ephemeral storage of a pod's main container: its logs, /tmp, and scratch unless that is a volume of its own. */
export const mainDisk = (scratch: PlannedScratch): number =>
  LOGS_MIB + TEMPORARY_MIB + (scratch.kind === "emptyDir" ? scratch.size : 0);

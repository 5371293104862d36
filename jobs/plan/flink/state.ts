import { createHash } from "node:crypto";
import type { FlinkJob, FlinkStreamJob } from "../../../schema/job.ts";
import type { FlinkPlan, Restore } from "../../../schema/plan.ts";

/**
 * In a checkpoint's folder Flink puts four random letters in place of this for data files, so that S3 spreads them over its partitions,
 * and leaves it out of the names of metadata files.
 * https://nightlies.apache.org/flink/flink-docs-stable/docs/deployment/filesystems/s3/#entropy-injection-for-s3-file-systems
 */
export const ENTROPY = { key: "_entropy_", length: "4" } as const;

/**
 * Flink's id of the job: of its own for each attempt of each run, since a store of job results remembers ids, and an id that is in it
 * is not run again. Without this all application clusters have the id of 32 zeros, and write to the same checkpoint folder.
 */
export const flinkJobId = (
  tenant: string,
  job: string,
  { run, attempt }: { readonly run: string; readonly attempt: number },
): string =>
  createHash("sha256")
    .update(JSON.stringify([tenant, job, run, attempt]))
    .digest("hex")
    .slice(0, 32);

/** Below which all state of a stream's location is, without a slash at its end. */
export const stateRoot = ({ checkpoints }: FlinkStreamJob): string =>
  checkpoints.location.replace(/\/+$/, "");

/** Where a stream's state goes. Savepoints are the job's: a resumed run starts from one of another run. */
export function stateFolders(
  spec: FlinkStreamJob,
  { run, attempt }: { readonly run: string; readonly attempt: number },
): NonNullable<FlinkPlan["state"]> {
  const root = stateRoot(spec);
  return {
    checkpoints: `${root}/${ENTROPY.key}/${spec.name}/${run}/${attempt}`,
    savepoints: `${root}/${spec.name}/savepoints`,
  };
}

/** Folders of checkpoints end so; those of savepoints have names of their own (`savepoint-…`). */
const CHECKPOINT = /\/chk-\d+\/?$/;

/** What an attempt starts from: what its helper found, else what its spec says. Undefined for a start without state. */
export function restoreOf(spec: FlinkJob, found: Restore | undefined): Restore | undefined {
  if (spec.kind === "batch") return undefined;
  if (found !== undefined || spec.from === undefined) return found;
  const { savepoint: location, allowNonRestoredState } = spec.from;
  return { location, kind: CHECKPOINT.test(location) ? "checkpoint" : "savepoint", allowNonRestoredState };
}

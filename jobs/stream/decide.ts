// What a stream goes on from, and whether it can: decisions without effects.
import { EXIT, UserError } from "../../base/errors.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";
import { RESUMED, type Savepoint } from "../ledger/index.ts";
import { stateCompatible } from "../plan/index.ts";
import { isEnded } from "../run/records.ts";
import type { StreamRun } from "./types.ts";

type Ended = Pick<StreamRun, "run" | "job" | "state" | "outcome" | "key" | "plan" | "left">;

export const isLive = ({ state }: Pick<StreamRun, "state">): boolean => !isEnded(state);

/** The key under which exactly one run goes on from another. */
export const resumeKey = (run: string): string => `${RESUMED}${run}`;

/** The run that a run went on from. */
export const predecessorOf = ({ key }: Pick<StreamRun, "key">): string | undefined =>
  key?.startsWith(RESUMED) === true ? key.slice(RESUMED.length) : undefined;

/**
 * That nothing went on from a run yet, and that it has ended.
 * @param latest The stream's newest run.
 * @param successor What went on from it.
 * @throws UserError `already-resumed`, `stream-is-live`
 */
export function assertResumable(
  run: Ended,
  latest: Pick<StreamRun, "run" | "key" | "state">,
  successor: Pick<StreamRun, "run" | "state"> | undefined,
): void {
  if (successor !== undefined) throw alreadyResumed(run.run, successor);
  if (!isLive(latest)) return;
  const before = predecessorOf(latest);
  if (latest.run === run.run && before !== undefined) throw alreadyResumed(before, latest);
  throw new UserError(
    "stream-is-live",
    `Stream ${run.job} has a live run: ${latest.run} is ${latest.state}.`,
    {
      path: `run ${latest.run}`,
      hint: `Nothing is to be resumed. Look at it: npx mayfly show ${latest.run}`,
      exitCode: EXIT.conflict,
    },
  );
}

export function alreadyResumed(run: string, by: Pick<StreamRun, "run" | "state">): UserError {
  return new UserError(
    "already-resumed",
    `Run ${run} has been resumed already, by run ${by.run}, which is ${by.state}.`,
    {
      path: `run ${by.run}`,
      hint: isLive(by)
        ? `Look at that one: npx mayfly show ${by.run}`
        : `Go on from that one instead: npx mayfly resume ${by.run}`,
      exitCode: EXIT.conflict,
    },
  );
}

/** State as a further run is to start from it. */
export interface Origin {
  readonly location: string;
  readonly kind: "savepoint" | "checkpoint";
  /** Of the Flink that wrote it, where that is known. */
  readonly flinkVersion: string | undefined;
  /** Whether only the state backend that wrote it reads it; undefined where that is not known. */
  readonly native: boolean | undefined;
}

/** What decides whether one job's state can be another's: `from` wrote it. */
interface Compared {
  readonly origin: Origin;
  readonly wrote: FlinkStreamJob | undefined;
  readonly reads: FlinkStreamJob;
  /** Of the Flink that is to read it. */
  readonly version: string;
}

/**
 * @param force Whether somebody insists on versions that are not promised to work.
 * @throws UserError `flink-version-downgrade`, `flink-version-major`, `state-backend-changed`, `max-parallelism-changed`
 */
export function assertCompatible({ origin, wrote, reads, version }: Compared, force: boolean): void {
  const versions =
    origin.flinkVersion === undefined ? { ok: true as const } : stateCompatible(origin.flinkVersion, version);
  if (!versions.ok && !(force && versions.forcible)) {
    const { code, message, hint } = versions.refusal;
    throw new UserError(code, message, {
      path: origin.location,
      hint: versions.forcible ? `${hint} To insist: --force-version` : hint,
    });
  }
  if (wrote === undefined) return;
  // Only canonical savepoints can be read by another backend:
  // https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/state/checkpoints_vs_savepoints/#capabilities-and-limitations
  if (origin.native !== false && wrote.state.backend !== reads.state.backend) {
    throw new UserError(
      "state-backend-changed",
      `The state was written by backend ${wrote.state.backend}, in its own form: backend ${reads.state.backend} can't read it.`,
      {
        path: "state.backend",
        hint: `Keep state.backend: ${wrote.state.backend}. State for another backend would have to be a canonical savepoint.`,
      },
    );
  }
  // Key groups are made by it: https://nightlies.apache.org/flink/flink-docs-stable/docs/ops/production_ready/#set-an-explicit-max-parallelism
  if (
    wrote.maxParallelism !== undefined &&
    reads.maxParallelism !== undefined &&
    wrote.maxParallelism !== reads.maxParallelism
  ) {
    throw new UserError(
      "max-parallelism-changed",
      `The state was written with maxParallelism ${wrote.maxParallelism}, and can't be read with ${reads.maxParallelism}.`,
      {
        path: "maxParallelism",
        hint: `Keep maxParallelism: ${wrote.maxParallelism}. Parallelism itself is free up to that.`,
      },
    );
  }
}

/** @throws UserError `another-job` where a spec is not of the stream that it is to be the next version of. */
export function assertSameJob(
  { run, job, tenant }: Pick<StreamRun, "run" | "job" | "tenant">,
  spec: Pick<FlinkStreamJob, "name" | "tenant">,
  file: string,
): void {
  if (spec.name === job && spec.tenant === tenant) return;
  throw new UserError(
    "another-job",
    `The spec is of job ${spec.name} of tenant ${spec.tenant}; run ${run} is of job ${job} of tenant ${tenant}.`,
    { path: file, hint: `Give the spec of ${job}: name and tenant say whose state it goes on with.` },
  );
}

/** A folder as Mayfly makes it: `<checkpoints.location>/<job>/savepoints/<savepoint>`. */
const OURS = /\/([^/]+)\/savepoints\/savepoint-[^/]+\/?$/;

/**
 * @param known What the ledger knows of the location.
 * @throws UserError `savepoint-of-another-job`
 */
export function assertOwnSavepoint(
  { job, tenant }: Pick<StreamRun, "job" | "tenant">,
  location: string,
  known: Pick<Savepoint, "job" | "tenant" | "run"> | undefined,
): void {
  const byPath = OURS.exec(location)?.[1];
  const other =
    known === undefined
      ? byPath === undefined || byPath === job
        ? undefined
        : `job ${byPath}`
      : known.job === job && known.tenant === tenant
        ? undefined
        : `job ${known.job} of tenant ${known.tenant} (run ${known.run})`;
  if (other === undefined) return;
  throw new UserError(
    "savepoint-of-another-job",
    `The savepoint is of ${other}, not of job ${job} of tenant ${tenant}.`,
    {
      path: location,
      hint: `See those of this stream: npx mayfly savepoints ${job}`,
    },
  );
}

/** @throws UserError `checkpoint-too-old` where state is older than somebody allows. */
export function assertYoung(location: string, ageSeconds: number, maxSeconds: number): void {
  if (ageSeconds <= maxSeconds) return;
  throw new UserError(
    "checkpoint-too-old",
    `The newest checkpoint is ${Math.round(ageSeconds)} s old; at most ${Math.round(maxSeconds)} s were allowed.`,
    {
      path: location,
      hint: "The stream goes on as it was. Allow more (--max-age), or put right what keeps it from making checkpoints.",
      exitCode: EXIT.conflict,
    },
  );
}

/** @throws UserError `already-suspended`, `run-finished` */
export function assertLive(run: Pick<StreamRun, "run" | "job" | "state" | "outcome">): void {
  if (isLive(run)) return;
  const { outcome } = run;
  if (outcome?.kind === "suspended") {
    throw new UserError(
      "already-suspended",
      `Run ${run.run} is suspended, with its state at ${outcome.savepoint}.`,
      {
        path: `run ${run.run}`,
        hint: `Go on with it: npx mayfly resume ${run.run}`,
        exitCode: EXIT.conflict,
      },
    );
  }
  throw new UserError("run-finished", `Run ${run.run} has ended already: ${run.state}.`, {
    path: `run ${run.run}`,
    hint: `See how: npx mayfly show ${run.run}. Go on from the state that it left: npx mayfly resume ${run.run}`,
    exitCode: EXIT.conflict,
  });
}

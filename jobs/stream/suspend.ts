import { UserError } from "../../base/errors.ts";
import { formatElapsed } from "../../base/progress.ts";
import type { Answered, CarryOutOptions } from "../run/stream.ts";
import { streamOf } from "../work/streams.ts";
import { assertLive, assertYoung } from "./decide.ts";
import { STREAM_EXIT } from "./exit.ts";
import type { FoundStream } from "./find.ts";
import { keepNewest } from "./savepoints.ts";
import type { StreamPorts, StreamRun } from "./types.ts";

export interface SuspendOptions extends CarryOutOptions {
  /** Where no savepoint can be had: be content with the newest retained checkpoint. */
  readonly lastState?: boolean | undefined;
  /** Of that checkpoint, in seconds. */
  readonly maxAgeSeconds?: number | undefined;
}

export interface Suspended {
  readonly run: string;
  readonly location: string;
  readonly kind: "savepoint" | "checkpoint";
  readonly message: string;
  readonly left: readonly string[];
}

/** A stream that can't be suspended is not thrown away by a checkpoint of yesterday. */
export const DEFAULT_MAX_AGE_SECONDS = 600;

/**
 * Ends a stream's live run with a savepoint, whose location is in the ledger before anything is destroyed.
 * @throws UserError `already-suspended`, `run-finished`; `suspend-failed`: the stream goes on; `checkpoint-too-old`, `no-checkpoint`
 */
export async function suspendStream(
  ports: StreamPorts,
  { run }: FoundStream,
  options: SuspendOptions = {},
): Promise<Suspended> {
  assertLive(run);
  const answer = await answered(ports, run, options);
  if (answer.ok && answer.savepoint !== undefined) {
    await keepNewest(ports, run);
    return suspended(answer, answer.savepoint, "savepoint");
  }
  if (options.lastState !== true) throw notSuspended(run, answer.message);
  return await suspendAtCheckpoint(ports, run, answer.message, { ...options, timeoutSeconds: undefined });
}

/** With a checkpoint to be content with, a savepoint that takes too long is one that can't be had. */
async function answered(ports: StreamPorts, run: StreamRun, options: SuspendOptions): Promise<Answered> {
  try {
    return await ports.carryOut(run.run, { kind: "suspend" }, options);
  } catch (error) {
    const tooLong = error instanceof UserError && error.code === "not-answered";
    if (!tooLong || options.lastState !== true || options.signal?.aborted === true) throw error;
    return { run: run.run, ok: false, message: error.message, savepoint: undefined, left: [] };
  }
}

async function suspendAtCheckpoint(
  ports: StreamPorts,
  run: StreamRun,
  why: string,
  options: SuspendOptions,
): Promise<Suspended> {
  const plan = streamOf((await ports.ledger.get(run.run)).plan);
  const newest = plan !== undefined ? await ports.state.newest(plan, []) : undefined;
  if (newest === undefined) {
    throw new UserError("no-checkpoint", `There is no savepoint (${why}) and no checkpoint either.`, {
      path: `run ${run.run}`,
      hint: "The stream goes on. Put right what keeps it from making checkpoints: npx mayfly show " + run.run,
      exitCode: STREAM_EXIT.notDone,
    });
  }
  const age = ports.now() - newest.at.getTime();
  assertYoung(newest.location, age / 1000, options.maxAgeSeconds ?? DEFAULT_MAX_AGE_SECONDS);
  ports.note(`No savepoint could be had: ${why}`);
  ports.note(
    `Suspending at the newest checkpoint instead, ${formatElapsed(age)} old: what was worked on since is worked on again.`,
  );
  const answer = await ports.carryOut(run.run, { kind: "suspend", lastState: newest.location }, options);
  if (!answer.ok) throw notSuspended(run, answer.message);
  return suspended(answer, newest.location, "checkpoint");
}

const suspended = (
  { run, message, left }: Answered,
  location: string,
  kind: Suspended["kind"],
): Suspended => ({ run, location, kind, message, left });

const notSuspended = ({ run }: StreamRun, why: string): UserError =>
  new UserError("suspend-failed", `Run ${run} could not be suspended, and goes on: ${why}`, {
    path: `run ${run}`,
    hint: `Ask again. Or be content with the newest checkpoint: npx mayfly suspend ${run} --last-state`,
    exitCode: STREAM_EXIT.notDone,
  });

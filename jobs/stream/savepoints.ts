import { EXIT, UserError } from "../../base/errors.ts";
import type { Savepoint } from "../ledger/index.ts";
import type { CarryOutOptions } from "../run/stream.ts";
import { assertLive, assertOwnSavepoint } from "./decide.ts";
import { STREAM_EXIT } from "./exit.ts";
import { type FoundStream, newestRun, streamRun } from "./find.ts";
import { liveRuns, runBefore } from "./lineage.ts";
import { neededBy, surplus } from "./retention.ts";
import type { StreamPorts, StreamRun } from "./types.ts";

/** A savepoint as lists show it. */
export interface ListedSavepoint extends Savepoint {
  /** A live run started from it, or the stream is suspended there. */
  readonly needed: boolean;
}

type Stream = Pick<StreamRun, "tenant" | "job" | "environment">;
type RetentionPorts = Pick<StreamPorts, "ledger" | "now" | "note"> & {
  readonly state: Pick<StreamPorts["state"], "remove">;
};

/** Makes a savepoint of a live stream, which goes on. @throws UserError `savepoint-failed`, `already-suspended`, `run-finished` */
export async function makeSavepoint(
  ports: StreamPorts,
  { run }: FoundStream,
  options: CarryOutOptions = {},
): Promise<{ readonly run: string; readonly location: string; readonly message: string }> {
  assertLive(run);
  const { ok, message, savepoint } = await ports.carryOut(run.run, { kind: "savepoint" }, options);
  if (!ok || savepoint === undefined) {
    throw new UserError("savepoint-failed", `Run ${run.run} has no new savepoint, and goes on: ${message}`, {
      path: `run ${run.run}`,
      hint: `Ask again, or look at it: npx mayfly show ${run.run}`,
      exitCode: STREAM_EXIT.notDone,
    });
  }
  await keepNewest(ports, run);
  return { run: run.run, location: savepoint, message };
}

/** A stream's savepoints, newest first. */
export async function listSavepoints(
  ports: Pick<StreamPorts, "ledger">,
  { latest }: FoundStream,
  deleted = false,
): Promise<readonly ListedSavepoint[]> {
  const { tenant, job, environment } = latest;
  const needed = await neededNow(ports, latest);
  const all = await ports.ledger.savepoints({ tenant, job, environment, deleted });
  return all.map((savepoint) => ({ ...savepoint, needed: needed.has(savepoint.location) }));
}

async function neededNow(
  { ledger }: Pick<StreamPorts, "ledger">,
  latest: StreamRun,
): Promise<ReadonlySet<string>> {
  const live = await liveRuns(ledger, latest);
  const withBefore = live.map(async (run) => ({ run, before: await runBefore(ledger, run) }));
  return neededBy(await Promise.all(withBefore), latest);
}

/**
 * Deletes one savepoint, with its files.
 * @throws UserError `unknown-savepoint`, `savepoint-of-another-job`, `savepoint-in-use`, `savepoint-newest`
 */
export async function deleteOne(
  ports: RetentionPorts,
  found: FoundStream,
  given: string,
): Promise<ListedSavepoint> {
  const location = given.replace(/\/+$/, "");
  const all = await listSavepoints(ports, found);
  const one = all.find((savepoint) => savepoint.location === location);
  const { job } = found.latest;
  if (one === undefined) {
    const [known] = await ports.ledger.savepoints({ location, deleted: true });
    assertOwnSavepoint(found.latest, location, known);
    throw new UserError(
      "unknown-savepoint",
      known?.deletedAt === undefined
        ? `The ledger knows of no such savepoint of ${job}.`
        : `That savepoint was deleted at ${known.deletedAt}.`,
      {
        path: location,
        hint: `See those there are: npx mayfly savepoints ${job}`,
        exitCode: EXIT.missingInput,
      },
    );
  }
  if (one.needed) {
    throw new UserError(
      "savepoint-in-use",
      "The savepoint is still needed: a live run started from it, or the stream is suspended there.",
      {
        path: location,
        hint: `See which run: npx mayfly runs --job ${job}`,
        exitCode: EXIT.conflict,
      },
    );
  }
  if (one.location === newestOf(all)?.location) {
    throw new UserError("savepoint-newest", `It is the newest savepoint of ${job}, which is always kept.`, {
      path: location,
      hint: `Make a newer one first: npx mayfly savepoint ${job}`,
      exitCode: EXIT.conflict,
    });
  }
  await remove(ports, one);
  return one;
}

const newestOf = (all: readonly ListedSavepoint[]): ListedSavepoint | undefined =>
  all.find(({ kind }) => kind === "savepoint");

/** Deletes the oldest, so that so many are left. @returns Those that are gone. */
export async function keepOnly(
  ports: RetentionPorts,
  latest: StreamRun,
  keep: number,
): Promise<readonly Savepoint[]> {
  const { tenant, job, environment } = latest;
  const all = await ports.ledger.savepoints({ tenant, job, environment });
  const gone = surplus(all, keep, await neededNow(ports, latest));
  for (const savepoint of gone) await remove(ports, savepoint);
  return gone;
}

/** The files first: what the ledger calls deleted is gone. */
async function remove({ state, ledger, now }: RetentionPorts, { location }: Savepoint): Promise<void> {
  await state.remove(location);
  await ledger.savepointDeleted(location, new Date(now()).toISOString());
}

/**
 * After a new savepoint: deletes the oldest beyond what the spec keeps. That it can't is no failure of what was asked; it is told, and the next
 * one tries again.
 */
export async function keepNewest(
  ports: RetentionPorts,
  stream: Stream & Pick<StreamRun, "run">,
): Promise<void> {
  try {
    const newest = await newestRun(ports.ledger, stream);
    const latest = streamRun(await ports.ledger.get(newest?.run ?? stream.run));
    await keepOnly(ports, latest, latest.spec.savepoints.keep);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    ports.note(`Old savepoints could not be deleted: ${error.message}`);
  }
}

import type { FlinkStreamJob } from "../../schema/job.ts";
import type { LedgerRun, Savepoint } from "../ledger/index.ts";
import { streamOf } from "../work/streams.ts";

type UsedBy = Pick<LedgerRun, "key" | "plan" | "outcome" | "state"> & { readonly spec: FlinkStreamJob };

/**
 * Pure: where the state is that a stream's runs still need. What a live run started from it may have to start from again; what ended the
 * newest run it goes on from.
 * @param live The live runs, with the runs that they went on from.
 */
export function neededBy(
  live: readonly { readonly run: UsedBy; readonly before: UsedBy | undefined }[],
  latest: UsedBy | undefined,
): ReadonlySet<string> {
  const locations = [
    ...live.flatMap(({ run, before }) => [
      streamOf(run.plan)?.restore?.location,
      run.spec.from?.savepoint,
      savepointOf(before),
    ]),
    savepointOf(latest),
  ];
  return new Set(locations.filter((location) => location !== undefined));
}

const savepointOf = (run: UsedBy | undefined): string | undefined =>
  run?.outcome?.kind === "suspended" ? run.outcome.savepoint : undefined;

/**
 * Pure: the savepoints that are to be deleted so that `keep` are left: the oldest, but neither the newest nor one that is needed. Checkpoints
 * are Flink's own and go with their run.
 * @param savepoints Newest first.
 */
export function surplus(
  savepoints: readonly Savepoint[],
  keep: number,
  needed: ReadonlySet<string>,
): readonly Savepoint[] {
  return savepoints
    .filter(({ kind }) => kind === "savepoint")
    .slice(Math.max(1, keep))
    .filter(({ location }) => !needed.has(location));
}

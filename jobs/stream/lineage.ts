import { LIVE_STATES } from "../ledger/index.ts";
import { streamOf } from "../work/streams.ts";
import { predecessorOf } from "./decide.ts";
import { runNamed, streamRun } from "./find.ts";
import type { StreamPorts, StreamRun } from "./types.ts";

type LineageLedger = Pick<StreamPorts["ledger"], "get" | "events">;

/** Upgrades in a row that all failed; more than anybody tries. */
const LONGEST = 100;

/**
 * The run whose state and whose spec count where a run is resumed: itself, unless it never was healthy. Then it is a version that was
 * tried and did not work, and what it went on from counts. One that left a checkpoint did work, though its helper was gone before it could
 * say so: what it has committed would be written twice from older state.
 */
export async function baseOf(
  ports: { readonly ledger: LineageLedger; readonly state: Pick<StreamPorts["state"], "newest"> },
  run: StreamRun,
): Promise<StreamRun> {
  let base = run;
  for (let step = 0; step < LONGEST; step++) {
    if (base.state === "suspended" || (await wasHealthy(ports.ledger, base.run))) return base;
    const plan = streamOf(base.plan);
    if (plan !== undefined && (await ports.state.newest(plan, [])) !== undefined) return base;
    const before = await runBefore(ports.ledger, base);
    if (before === undefined) return base;
    base = before;
  }
  return base;
}

/** What a run went on from; undefined where that is not known any more. */
export async function runBefore(
  ledger: Pick<LineageLedger, "get">,
  run: StreamRun,
): Promise<StreamRun | undefined> {
  const before = predecessorOf(run);
  const row = before === undefined ? undefined : await runNamed(ledger, before);
  return row === undefined ? undefined : streamRun(row);
}

/** The phase `running` of a stream begins when its job and all its tasks run. */
async function wasHealthy(ledger: Pick<LineageLedger, "events">, run: string): Promise<boolean> {
  const { events } = await ledger.events(run);
  return events.some(({ event }) => event.type === "phase" && event.phase === "running");
}

/** A stream's live runs; more than one only by hand. */
export async function liveRuns(
  ledger: Pick<StreamPorts["ledger"], "get" | "list">,
  { tenant, job, environment }: Pick<StreamRun, "tenant" | "job" | "environment">,
): Promise<readonly StreamRun[]> {
  const rows = await ledger.list({ tenant, job, environment, states: [...LIVE_STATES] });
  return await Promise.all(rows.map(async ({ run }) => streamRun(await ledger.get(run))));
}

import { EXIT, UserError } from "../../base/errors.ts";
import type { Plan } from "../../schema/plan.ts";
import { startEngine } from "../engine/index.ts";
import type { Ledger, LedgerRun } from "../ledger/index.ts";
import { assertStateKept } from "../stream/discard.ts";
import { Driver } from "../work/driver.ts";
import { type Place, placeOf } from "../work/place.ts";
import { streamOf } from "../work/streams.ts";
import { leaseTiming } from "../work/timing.ts";
import type { HeldLease } from "../work/types.ts";
import { openRunCluster } from "./cluster.ts";
import { readConnection, readContract } from "./environment.ts";
import { withLedger } from "./ledger.ts";
import { helperLives, helperOf, holderOf, thisHelper } from "./liveness.ts";
import { isEnded, type PlannedRun, planned } from "./records.ts";
import type { DestroyOptions, DestroyResult } from "./types.ts";

/** See index.ts. */
export async function destroyRun(run: string, options: DestroyOptions = {}): Promise<DestroyResult> {
  const timing = leaseTiming();
  return await withLedger(async (ledger) => {
    const row = planned(await ledger.get(run));
    await refuseLiving(row);
    assertStateKept(row, options.discardState === true);
    const path = options.connection ?? row.connection;
    const connection = await readConnection(path);
    const contract = await readContract(connection.contract);
    const engine = startEngine(connection);
    const cluster = await openRunCluster(connection, async () => await Promise.resolve(contract));
    const place = placeOf({ path, connection, contract }, cluster, timing);
    try {
      // The same checks as before a run: what is not there can't be proven gone on another cluster.
      await cluster.check();
      const left = isEnded(row.state) && row.left.length === 0 ? await leftOf(row.plan, place) : row.left;
      if (isEnded(row.state) && left.length === 0) return resultOf(row.plan, "nothing", []);
      const lease = await take(row, place, options.signal);
      const result = await remove(
        await fresh(row, left, ledger),
        lease,
        { ...place, engine, ledger },
        options,
      );
      if (!isEnded(row.state)) await forget(row.plan, { store: place.store, ledger }, options);
      return result;
    } finally {
      place.close();
      await engine.close();
    }
  });
}

const resultOf = (
  { run, namespace }: Plan,
  by: DestroyResult["by"],
  left: readonly string[],
): DestroyResult => ({
  run,
  namespace,
  by,
  left,
});

/** A helper that lives destroys what it made itself. */
async function refuseLiving(row: LedgerRun): Promise<void> {
  if (isEnded(row.state) || row.state === "kept") return;
  const helper = helperOf(row.holder);
  const lives = helper === undefined ? undefined : await helperLives(helper);
  // Of a helper on another machine its lease tells; one that has none is never taken for dead from here.
  if (lives === false || (lives === undefined && row.machine !== undefined)) return;
  throw active(row, undefined);
}

function active({ run, holder }: LedgerRun, cause: unknown): UserError {
  const helper = helperOf(holder);
  const who = helper === undefined ? (holder ?? "another helper") : `process ${helper.pid} on ${helper.host}`;
  const kill = helper === undefined ? "" : `, or: kill ${helper.pid}`;
  return new UserError("run-active", `Run ${run} is still at work (${who}).`, {
    hint: `Stop it: npx mayfly cancel ${run}, Ctrl-C there${kill}. Its helper destroys its cluster itself.`,
    exitCode: EXIT.conflict,
    cause,
  });
}

/** What a run that ended without a trace in the ledger has left all the same. */
async function leftOf(plan: Plan, { cluster }: Pick<Place, "cluster">): Promise<readonly string[]> {
  const { objects } = await cluster.leftovers(plan);
  return objects.map(({ kind, name }) => `${kind} ${name}`);
}

/** Takes the run's lease before anything of it is touched, the ledger's row included. @throws UserError `run-active` */
async function take(row: LedgerRun, place: Place, signal?: AbortSignal): Promise<HeldLease> {
  try {
    return await place.acquire({
      run: row,
      knownFence: row.fence,
      former: new Set(),
      signal: signal ?? new AbortController().signal,
      onWaiting: () => undefined,
    });
  } catch (error) {
    if (error instanceof UserError && error.code === "lease-held") throw active(row, error);
    throw error;
  }
}

/** The row as it is now that nobody else writes it. */
async function fresh(row: LedgerRun, left: readonly string[], ledger: Ledger): Promise<PlannedRun> {
  const now = planned(await ledger.get(row.run));
  return isEnded(now.state) && now.left.length === 0 ? { ...now, left, machine: undefined } : now;
}

/** Of a live stream that was destroyed its caller has given up the state: see {@link assertStateKept}. */
async function forget(
  plan: Plan,
  tools: Pick<Place, "store"> & { readonly ledger: Ledger },
  { onEvent }: DestroyOptions,
): Promise<void> {
  const stream = streamOf(plan);
  if (stream === undefined) return;
  const { sweep } = await import("../work/stream-state.ts");
  await sweep(tools, stream, (message) => {
    onEvent?.({ type: "warning", at: new Date().toISOString(), run: plan.run, message });
  });
}

async function remove(
  row: PlannedRun,
  lease: HeldLease,
  tools: Pick<
    ConstructorParameters<typeof Driver>[1],
    "engine" | "cluster" | "store" | "environment" | "raiseFence"
  > & {
    readonly ledger: Ledger;
  },
  { onEvent }: DestroyOptions,
): Promise<DestroyResult> {
  const driver = new Driver(row, {
    ...tools,
    holder: holderOf(await thisHelper()),
    acquire: async () => await Promise.resolve(lease),
    onEvent: (event) => onEvent?.(event),
    purpose: { kind: "removal" },
  });
  const end = await driver.done;
  if (end !== "ended") throw active(row, undefined);
  const left = "left" in driver.state ? driver.state.left : [];
  return resultOf(row.plan, driver.removal?.by ?? "nothing", left);
}

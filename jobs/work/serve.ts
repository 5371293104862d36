import type { RunEvent } from "../../schema/events.ts";
import { startEngine } from "../engine/index.ts";
import { openRunLedger, pruneLedger } from "../run/ledger.ts";
import { holderOf, thisHelper } from "../run/liveness.ts";
import type { EnvironmentOptions } from "../run/types.ts";
import { Driver } from "./driver.ts";
import { Engines } from "./engines.ts";
import { withHealth } from "./health.ts";
import { limitsFrom, memoryNow } from "./limits.ts";
import { Orphans } from "./orphans.ts";
import { openPlace } from "./place.ts";
import { leaseTiming } from "./timing.ts";
import { Worker, type WorkerNote, type WorkMode } from "./worker.ts";

export interface WorkOptions extends EnvironmentOptions {
  readonly mode?: WorkMode | undefined;
  /** Runs at a time; default 4. */
  readonly slots?: number | undefined;
  /** Aborting stops: nothing more is taken. */
  readonly signal?: AbortSignal | undefined;
  /** Aborting hands over at once. */
  readonly hurry?: AbortSignal | undefined;
  /** What runs get to end once stopped, in seconds, before they are handed over; default 20. */
  readonly graceSeconds?: number | undefined;
  /** Port for `/livez` and `/readyz`; none where left out. */
  readonly healthPort?: number | undefined;
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  readonly onNote?: ((note: WorkerNote) => void) | undefined;
}

/** See index.ts. */
export async function work(options: WorkOptions = {}): Promise<number> {
  const { mode = "serve", slots = 4, graceSeconds = 20 } = options;
  const never = new AbortController().signal;
  const timing = leaseTiming();
  const place = await openPlace(options.connection, timing);
  const engines = new Engines(() => startEngine(place.environment.connection));
  try {
    const ledger = await openRunLedger();
    try {
      const holder = holderOf(await thisHelper());
      const onEvent = (event: RunEvent): void => options.onEvent?.(event);
      return await withHealth(options.healthPort, async (health) => {
        const worker = new Worker(
          {
            ledger,
            environment: place.environment.contract.name,
            engines,
            drive: (run, engine) => new Driver(run, { ...place, ledger, engine, holder, onEvent }),
            orphans: new Orphans({
              leaseLooks: place.leaseLooks,
              monotonic: () => performance.now(),
              duration: timing.duration,
            }),
            limits: limitsFrom(place.environment.contract, slots),
            memory: memoryNow,
            prune: async () => {
              await pruneLedger(ledger);
            },
            holder,
            onNote: (note) => options.onNote?.(note),
            onTurn: (worked) => {
              health.turned(worked);
            },
          },
          mode,
        );
        return await worker.work(options.signal ?? never, graceSeconds * 1000, options.hurry ?? never);
      });
    } finally {
      await ledger.close();
    }
  } finally {
    await engines.close();
    place.close();
  }
}

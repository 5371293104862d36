// Looks after one run from this process for a while: whoever asks something of a stream needs no worker.
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { Ledger, LedgerRun } from "../ledger/index.ts";
import { isEnded } from "../run/records.ts";
import { Driver } from "./driver.ts";
import type { Orphans } from "./orphans.ts";
import { isAway } from "./row.ts";
import type { DriverTools } from "./types.ts";

/** From one look at the ledger to the next. */
const LOOK_MS = 500;
/** Of these a look at the driver itself, which costs nothing. */
const GLANCE_MS = 100;

/**
 * Until a stream is healthy and nothing is asked of it. Of a run that others work on, or that was handed over, only the ledger tells.
 * @param holder This process, in the ledger.
 */
export const untilResting =
  (holder: string): Tending["until"] =>
  ({ state, holder: who }, driver) =>
    driver === undefined ? state === "running" && who !== holder : driver.resting;

export interface TendTools extends Omit<DriverTools, "ledger" | "purpose" | "onEvent"> {
  readonly ledger: DriverTools["ledger"] & Pick<Ledger, "get" | "claim" | "requestCancel">;
  readonly orphans: Pick<Orphans, "find">;
}

export interface Tending {
  /** Each event from now on, of other holders too. */
  readonly onEvent: (event: RunEvent) => void;
  /** Asked again and again; `driver` where the run is worked on here. The run is handed over then. */
  readonly until: (row: LedgerRun, driver: Pick<Driver, "resting" | "state"> | undefined) => boolean;
  /** `cancel`: the run ends by it; `leave`: it is handed over. */
  readonly onAbort: "cancel" | "leave";
  readonly signal: AbortSignal;
}

/**
 * Works on the run where nobody else does, else follows it, until it has ended, `until` says so, or `signal` aborts.
 * @returns The run as the ledger has it then.
 */
export async function tend(run: string, tools: TendTools, tending: Tending): Promise<LedgerRun> {
  const { until, onAbort, signal } = tending;
  const news = new News(run, tools.ledger, tending.onEvent);
  await news.skip();
  for (;;) {
    const row = await look(run, tools.ledger);
    if (row !== undefined) {
      const over = isEnded(row.state) || row.state === "kept" || until(row, undefined);
      if (over || (signal.aborted && onAbort === "leave")) {
        await news.tell();
        return row;
      }
      if (signal.aborted && row.cancelRequestedAt === undefined) await cancel(run, tools.ledger);
      const mine = await take(row, tools);
      if (mine !== undefined) {
        await news.tell();
        await drive(mine, tools, tending);
        await news.skip();
        continue;
      }
      await news.tell();
    }
    await sleep(LOOK_MS, undefined, onAbort === "leave" ? { signal } : {}).catch(() => undefined);
  }
}

/** The run where this process may work on it. */
async function take(row: LedgerRun, { ledger, holder, orphans }: TendTools): Promise<LedgerRun | undefined> {
  if (row.state === "queued") {
    const due = row.notBefore === undefined || Date.parse(row.notBefore) <= Date.now();
    return due ? await ledger.claim({ holder, run: row.run }) : undefined;
  }
  if (row.holder === holder) return row;
  return (await orphans.find([row])).orphans.length > 0 ? row : undefined;
}

/** It may end meanwhile. */
async function cancel(run: string, ledger: Pick<Ledger, "requestCancel">): Promise<void> {
  await ledger.requestCancel(run).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
  });
}

async function drive(row: LedgerRun, tools: TendTools, tending: Tending): Promise<void> {
  const { until, onAbort, signal, onEvent } = tending;
  const driver = new Driver(row, { ...tools, onEvent });
  const done = driver.done.then(
    () => true,
    () => true,
  );
  let known: LedgerRun = row;
  let lookedAt = performance.now();
  while (!(await Promise.race([done, sleep(GLANCE_MS, false)]))) {
    if (signal.aborted && onAbort === "cancel") driver.cancel();
    if (until(known, driver) || (signal.aborted && onAbort === "leave")) {
      await driver.handOver();
      return;
    }
    if (performance.now() - lookedAt < LOOK_MS) continue;
    lookedAt = performance.now();
    known = (await look(row.run, tools.ledger)) ?? known;
    if (known.cancelRequestedAt !== undefined) driver.cancel();
    if (known.wish !== undefined) driver.heed(known.wish);
  }
  await driver.done;
}

/** Undefined where the ledger is away for the moment. */
async function look(run: string, ledger: Pick<Ledger, "get">): Promise<LedgerRun | undefined> {
  try {
    return await ledger.get(run);
  } catch (error) {
    if (isAway(error)) return undefined;
    throw error;
  }
}

/** What others note of the run. */
class News {
  readonly #run: string;
  readonly #ledger: Pick<Ledger, "events">;
  readonly #onEvent: (event: RunEvent) => void;
  #after = 0;

  constructor(run: string, ledger: Pick<Ledger, "events">, onEvent: (event: RunEvent) => void) {
    this.#run = run;
    this.#ledger = ledger;
    this.#onEvent = onEvent;
  }

  async tell(): Promise<void> {
    for (const { event } of await this.#read()) this.#onEvent(event);
  }

  /** What was told already, or is old. */
  async skip(): Promise<void> {
    await this.#read();
  }

  async #read() {
    try {
      const { events } = await this.#ledger.events(this.#run, this.#after);
      this.#after = events.at(-1)?.seq ?? this.#after;
      return events;
    } catch (error) {
      if (isAway(error)) return [];
      throw error;
    }
  }
}

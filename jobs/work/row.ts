import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { Ledger, LedgerRun, RunPatch } from "../ledger/index.ts";

/** The ledger did not take a change since another helper wrote the run meanwhile: it is not ours. */
export const isChanged = (error: unknown): boolean =>
  error instanceof UserError && (error.code === "run-changed" || error.code === "unknown-run");

const AWAY: ReadonlySet<string> = new Set(["ledger-unreachable", "ledger-busy"]);
const PASSING: ReadonlySet<string> = new Set([...AWAY, "ledger-read-only", "ledger-full"]);

/** The database is away or busy for the moment. */
export const isAway = (error: unknown): boolean => error instanceof UserError && AWAY.has(error.code);

/** A change that it could not take passes by itself: a server that became a replica, or a full disk, is mostly put right soon. */
export const isPassing = (error: unknown): boolean => error instanceof UserError && PASSING.has(error.code);

const RETRY_MS = 1000;

/** For what a foreground run could not write while it went on. */
const SETTLE_TRIES = 5;

/**
 * What to do while the ledger can't be written. `wait`: until it can, since other helpers go by it. `go-on`: a foreground run, which its lease
 * protects, goes on; what was not written is written with the next change.
 */
export type Patience = "wait" | "go-on";

type RowLedger = Pick<Ledger, "update" | "append" | "forget">;

/** One run's row in the ledger: changes one after the other, each over the version that the last one made. */
export class Row {
  readonly #ledger: RowLedger;
  readonly #run: string;
  readonly #signal: AbortSignal;
  readonly #patience: Patience;
  #version: number;
  #unwritten: RunPatch = {};
  #last: Promise<unknown> = Promise.resolve();

  /** @param signal Ends waiting for a ledger that is away. */
  constructor(
    ledger: RowLedger,
    { run, version }: Pick<LedgerRun, "run" | "version">,
    signal: AbortSignal,
    patience: Patience = "wait",
  ) {
    this.#ledger = ledger;
    this.#patience = patience;
    this.#run = run;
    this.#version = version;
    this.#signal = signal;
  }

  /** @throws UserError `run-changed` */
  readonly patch = async (patch: RunPatch): Promise<void> => {
    await this.#inOrder(async () => {
      this.#unwritten = { ...this.#unwritten, ...patch };
      try {
        await this.#write();
      } catch (error) {
        if (this.#patience === "wait" || isChanged(error)) throw error;
      }
    });
  };

  /** Writes what is not written yet. */
  readonly settle = async (): Promise<void> => {
    for (let tries = 0; Object.keys(this.#unwritten).length > 0; tries++) {
      try {
        await this.#inOrder(this.#write);
      } catch (error) {
        if (tries === SETTLE_TRIES || isChanged(error)) throw error;
        await sleep(RETRY_MS);
      }
    }
  };

  /** Takes the run out of the ledger. */
  readonly forget = async (): Promise<void> => {
    await this.#inOrder(async () => {
      await this.#ledger.forget(this.#run, this.#version);
    });
  };

  readonly #write = async (): Promise<void> => {
    const patch = this.#unwritten;
    if (Object.keys(patch).length === 0) return;
    this.#version = await this.#ledger.update(this.#run, this.#version, patch);
    this.#unwritten = {};
  };

  readonly append = async (events: readonly RunEvent[]): Promise<void> => {
    await this.#inOrder(async () => {
      await this.#ledger.append(this.#run, events);
    });
  };

  async #inOrder(work: () => Promise<void>): Promise<void> {
    const next = this.#last.then(async () => {
      await this.#patiently(work);
    });
    this.#last = next.catch(() => undefined);
    await next;
  }

  async #patiently(work: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await work();
        return;
      } catch (error) {
        const passes = isPassing(error) && this.#patience === "wait";
        if (!passes || this.#signal.aborted) throw error;
        await sleep(RETRY_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }
}

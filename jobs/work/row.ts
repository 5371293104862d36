import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { RunEvent } from "../../schema/events.ts";
import type { Ledger, LedgerRun, RunPatch } from "../ledger/index.ts";

/** The ledger did not take a change since another helper wrote the run meanwhile: it is not ours. */
export const isChanged = (error: unknown): boolean =>
  error instanceof UserError && (error.code === "run-changed" || error.code === "unknown-run");

/** Passes by itself: the ledger's database is away or busy. */
const PASSING = new Set(["ledger-unreachable", "ledger-busy"]);
const RETRY_MS = 1000;

/** One run's row in the ledger: changes one after the other, each over the version that the last one made. */
export class Row {
  readonly #ledger: Pick<Ledger, "update" | "append">;
  readonly #run: string;
  readonly #signal: AbortSignal;
  #version: number;
  #last: Promise<unknown> = Promise.resolve();

  /** @param signal Ends waiting for a ledger that is away. */
  constructor(ledger: Pick<Ledger, "update" | "append">, { run, version }: LedgerRun, signal: AbortSignal) {
    this.#ledger = ledger;
    this.#run = run;
    this.#version = version;
    this.#signal = signal;
  }

  /** @throws UserError `run-changed` */
  readonly patch = async (patch: RunPatch): Promise<void> => {
    await this.#inOrder(async () => {
      this.#version = await this.#ledger.update(this.#run, this.#version, patch);
    });
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
        const passes = error instanceof UserError && PASSING.has(error.code);
        if (!passes || this.#signal.aborted) throw error;
        await sleep(RETRY_MS, undefined, { signal: this.#signal }).catch(() => undefined);
      }
    }
  }
}

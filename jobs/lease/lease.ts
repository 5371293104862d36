import type { Caller } from "./call.ts";
import { LeaseLost, type LossReason } from "./errors.ts";
import type { Clock, LeaseDraft, LeasePort, LeaseRecord, LeaseTiming } from "./types.ts";

/** What a {@link Lease} stands on. */
export interface LeaseParts {
  readonly run: string;
  readonly port: LeasePort;
  /** Knows how long the port takes to answer. */
  readonly caller: Caller;
  readonly clock: Clock;
  readonly timing: LeaseTiming;
  /** The object as this holder's own write left it. */
  readonly record: LeaseRecord;
  /** Monotonic time when that write was sent: from then on it counts. */
  readonly sentAt: number;
  readonly acquireTime: string;
  /** Whether there was no object before. */
  readonly created: boolean;
}

/** What became of a lease that was given back. `unanswered`: it runs out by itself. */
export type Released = "released" | "not-ours" | "unanswered";

/**
 * A lease that this process holds, and renews in the background until it is released or lost. Made by `acquireLease`.
 *
 * Time is counted from the sending of the last renewal that was taken, by the monotonic clock, so a slow answer shortens what is
 * left instead of lengthening it.
 */
export class Lease {
  readonly run: string;
  /** Number of acquisitions of this run's lease; every later holder has a higher one. */
  readonly fence: number;
  readonly holder: string;
  /** Whether its object was made anew though the run had one: somebody has deleted it, as is done when the run is over. */
  readonly remade: boolean;
  readonly #parts: LeaseParts;
  readonly #lost = new AbortController();
  readonly #ended = new AbortController();
  #record: LeaseRecord;
  #sentAt: number;
  #renewing: Promise<boolean> | undefined;
  #trouble: unknown;

  constructor(parts: LeaseParts) {
    this.#parts = parts;
    this.#record = parts.record;
    this.#sentAt = parts.sentAt;
    this.run = parts.run;
    this.holder = parts.record.holder;
    this.fence = parts.record.transitions + 1;
    this.remade = parts.created && this.fence > 1;
    void this.#keep();
  }

  /** Aborts with a {@link LeaseLost} as soon as it is known that the run is not ours any more. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether it is ours by this machine's clock, also where no timer has come to say so yet, as after SIGCONT. */
  get held(): boolean {
    return this.#holds();
  }

  #holds(): boolean {
    if (this.#ended.signal.aborted) return false;
    if (this.#left() <= 0) {
      const cause = this.#trouble;
      this.#lose("expired", cause instanceof Error ? cause.message : undefined, cause);
    }
    return !this.#lost.signal.aborted;
  }

  /**
   * To be awaited before each mutation. Where the last renewal is older than a period, the lease is renewed first: that is a read and
   * a proof at once. While the API server does not answer it waits, for as long as the lease is ours.
   * @throws LeaseLost
   */
  async guard(): Promise<void> {
    const { clock, timing } = this.#parts;
    while (this.held) {
      if (clock.monotonic() - this.#sentAt <= timing.renew) return;
      if (!(await this.#renew())) await clock.sleep(timing.retry, this.#lost.signal);
    }
    throw this.#lost.signal.aborted ? this.#lost.signal.reason : new LeaseLost(this.run, "released");
  }

  /**
   * Stops renewing and gives it back, so that others need not wait. The object stays, for its number must only grow; `remove` it
   * once the run has come to its end for good.
   */
  async release({ remove = false }: { readonly remove?: boolean } = {}): Promise<Released> {
    const { port, caller } = this.#parts;
    this.#ended.abort();
    await this.#renewing;
    for (let tries = 0; tries < 3; tries++) {
      if (this.#lost.signal.aborted) return "not-ours";
      const record = this.#record;
      try {
        const answer = await caller.call((signal) =>
          remove
            ? port.remove(record, signal)
            : port.replace(record, { ...this.#draft(), holder: "" }, signal),
        );
        if (answer.kind === "lease" || (remove && answer.kind === "absent")) return "released";
        if (answer.kind === "absent") return "not-ours";
        await this.#readBack();
      } catch (error) {
        this.#trouble = error;
      }
    }
    return "unanswered";
  }

  /** Milliseconds for which it is still ours. */
  #left(): number {
    const { clock, timing } = this.#parts;
    return this.#sentAt + timing.duration - timing.margin - clock.monotonic();
  }

  async #keep(): Promise<void> {
    const { clock, timing } = this.#parts;
    let pause = this.#sentAt + timing.renew - clock.monotonic();
    while (this.#holds()) {
      await clock.sleep(Math.min(pause, this.#left()), this.#ended.signal);
      if (!this.#holds()) return;
      const renewed = await this.#renew();
      pause = renewed ? this.#sentAt + timing.renew - clock.monotonic() : timing.retry;
    }
  }

  /** One renewal at a time: who comes meanwhile waits for the same one. Tells whether it was taken. */
  #renew(): Promise<boolean> {
    this.#renewing ??= this.#tryRenew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #tryRenew(): Promise<boolean> {
    const { clock, port, caller } = this.#parts;
    // The second try is for a renewal whose answer was lost, or an object that somebody labelled: it is ours, only its version is new.
    for (let tries = 0; tries < 2 && this.held; tries++) {
      const sentAt = clock.monotonic();
      const record = this.#record;
      try {
        const answer = await caller.call(
          (signal) => port.replace(record, this.#draft(), signal),
          this.#left(),
        );
        switch (answer.kind) {
          case "lease":
            this.#record = answer.lease;
            this.#sentAt = sentAt;
            this.#trouble = undefined;
            return true;
          case "absent":
            this.#lose("deleted");
            return false;
          case "unanswered":
            this.#trouble = answer.cause;
            return false;
          case "conflict":
            if (!(await this.#readBack())) return false;
        }
      } catch (error) {
        // Refused for a reason of its own, such as an expired token: it may pass before the lease is over.
        this.#trouble = error;
        return false;
      }
    }
    return false;
  }

  /** Whether the object is still ours; if so its present version is taken on, without gaining any time by it. */
  async #readBack(): Promise<boolean> {
    const { port, caller } = this.#parts;
    const answer = await caller.call((signal) => port.get(signal));
    switch (answer.kind) {
      case "lease": {
        const { lease } = answer;
        if (lease.holder === this.holder && lease.transitions === this.#record.transitions) {
          this.#record = lease;
          return true;
        }
        this.#lose("taken", lease.holder === "" ? undefined : lease.holder);
        return false;
      }
      case "absent":
        this.#lose("deleted");
        return false;
      case "unanswered":
        this.#trouble = answer.cause;
        return false;
      case "conflict":
        return false;
    }
  }

  #draft(): LeaseDraft {
    const { acquireTime, clock, timing } = this.#parts;
    return {
      holder: this.holder,
      transitions: this.#record.transitions,
      acquireTime,
      renewTime: renewTime(clock.wall(), this.#record.renewTime),
      durationSeconds: timing.duration / 1000,
    };
  }

  #lose(reason: LossReason, detail?: string, cause?: unknown): void {
    if (this.#lost.signal.aborted) return;
    this.#lost.abort(new LeaseLost(this.run, reason, detail, cause));
    this.#ended.abort();
  }
}

/**
 * A Kubernetes MicroTime that differs from the one `before`, whatever the wall clock does: to write an object as it is does not change
 * its resourceVersion, and others would see no sign of life. The last three digits are a counter.
 */
export function renewTime(wall: number, before: string): string {
  const counter = (Number(/\.\d{3}(\d{3})Z$/.exec(before)?.[1] ?? "0") + 1) % 1000;
  return `${new Date(wall).toISOString().slice(0, -1)}${String(counter).padStart(3, "0")}Z`;
}

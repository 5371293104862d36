import { Caller } from "./call.ts";
import { systemClock } from "./clock.ts";
import { leaseHeld } from "./errors.ts";
import { Lease, renewTime } from "./lease.ts";
import { isDead, look, type Sighting } from "./sighting.ts";
import {
  type Clock,
  LEASE_TIMING,
  type LeaseAnswer,
  type LeaseDraft,
  type LeasePort,
  type LeaseRecord,
  type LeaseTiming,
} from "./types.ts";

export interface AcquireOptions {
  /** The run's id, for messages. */
  readonly run: string;
  /** Unique to this acquisition, as of `holderName`: a write whose answer was lost is known by it. */
  readonly holder: string;
  /** The highest fence that the ledger knows of: numbers grow even where somebody deleted the Lease. */
  readonly knownFence?: number | undefined;
  /** Ends the wait for a lease that another one holds. */
  readonly signal: AbortSignal;
  /** Whether a holder is known to be dead by other means than its lease, such as the end of its process on this machine. */
  readonly isDead?: ((holder: string) => Promise<boolean>) | undefined;
  /** Told once for each holder that is waited for. */
  readonly onWaiting?: ((holder: string) => void) | undefined;
  readonly timing?: LeaseTiming | undefined;
  readonly clock?: Clock | undefined;
}

/** `host/pid/random`. Pure: the random part is the caller's, at least four bytes. */
export const holderName = (host: string, pid: number, random: Uint8Array): string =>
  `${host}/${pid}/${Buffer.from(random).toString("hex")}`;

/**
 * Takes a run's lease: at once where nobody has it, else as soon as its holder gives it back or is seen to be dead.
 * @throws UserError `lease-held` when `signal` aborts first, and what the port throws.
 */
export async function acquireLease(port: LeasePort, options: AcquireOptions): Promise<Lease> {
  return await new Acquisition(port, options).done();
}

class Acquisition {
  readonly #port: LeasePort;
  readonly #options: AcquireOptions;
  readonly #clock: Clock;
  readonly #timing: LeaseTiming;
  readonly #caller: Caller;
  #sighting: Sighting | undefined;
  #sentAt: number | undefined;
  #created = false;
  #acquireTime = "";
  #told: string | undefined;

  constructor(port: LeasePort, options: AcquireOptions) {
    this.#port = port;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#timing = checked(options.timing ?? LEASE_TIMING);
    this.#caller = new Caller(this.#clock, this.#timing.call, this.#timing.duration);
  }

  async done(): Promise<Lease> {
    const { signal, run } = this.#options;
    let cause: unknown;
    while (!isAborted(signal)) {
      const asked = this.#clock.monotonic();
      const seen = await this.#caller.call((given) => this.#port.get(given));
      if (seen.kind === "unanswered") ({ cause } = seen);
      const lease = this.#ours(seen) ?? (await this.#next(seen, asked));
      if (lease === undefined) continue;
      if (!isAborted(signal)) return lease;
      // There was none before, perhaps as the run is over; its number is in the ledger.
      await lease.release({ remove: this.#created });
    }
    throw leaseHeld(run, this.#told, cause ?? signal.reason);
  }

  /** Takes it, or waits until the next look. */
  async #next(seen: LeaseAnswer, asked: number): Promise<Lease | undefined> {
    switch (seen.kind) {
      case "absent":
        return await this.#take(undefined);
      case "lease": {
        const { lease } = seen;
        if (lease.holder === "" || (await this.#options.isDead?.(lease.holder)) === true)
          return await this.#take(lease);
        this.#sighting = look(this.#sighting, lease, this.#clock.monotonic());
        if (isDead(this.#sighting, asked)) return await this.#take(lease);
        this.#tell(lease.holder);
        const { since, duration } = this.#sighting;
        await this.#pause(Math.min(this.#timing.poll, since + duration - this.#clock.monotonic()));
        return undefined;
      }
      case "conflict":
      case "unanswered":
        await this.#pause(this.#timing.retry);
        return undefined;
    }
  }

  /** Compare-and-swap: of several who try at once exactly one is answered with a lease of its own. */
  async #take(over: LeaseRecord | undefined): Promise<Lease | undefined> {
    const wall = this.#clock.wall();
    this.#acquireTime = renewTime(wall, "");
    const draft: LeaseDraft = {
      holder: this.#options.holder,
      transitions: Math.max(over === undefined ? 0 : over.transitions + 1, this.#options.knownFence ?? 0),
      acquireTime: this.#acquireTime,
      renewTime: renewTime(wall, over?.renewTime ?? ""),
      durationSeconds: this.#timing.duration / 1000,
    };
    this.#sentAt = this.#clock.monotonic();
    this.#created = over === undefined;
    const answer = await this.#caller.call((signal) =>
      over === undefined ? this.#port.create(draft, signal) : this.#port.replace(over, draft, signal),
    );
    const lease = this.#ours(answer);
    // Somebody was faster, or nobody knows whether it was taken: the next look tells.
    if (lease === undefined && answer.kind === "unanswered") await this.#pause(this.#timing.retry);
    return lease;
  }

  /** Also of an earlier try whose answer was lost. */
  #ours(answer: LeaseAnswer): Lease | undefined {
    const { run, holder } = this.#options;
    if (answer.kind !== "lease" || answer.lease.holder !== holder || this.#sentAt === undefined)
      return undefined;
    return new Lease({
      run,
      port: this.#port,
      caller: this.#caller,
      clock: this.#clock,
      timing: this.#timing,
      record: answer.lease,
      sentAt: this.#sentAt,
      created: this.#created,
      acquireTime: this.#acquireTime,
    });
  }

  async #pause(ms: number): Promise<void> {
    await this.#clock.sleep(Math.max(0, ms), this.#options.signal);
  }

  #tell(holder: string): void {
    if (this.#told === holder) return;
    this.#told = holder;
    this.#options.onWaiting?.(holder);
  }
}

const isAborted = (signal: AbortSignal): boolean => signal.aborted;

/** Timing in which a holder has no chance to renew in time is a mistake of ours. */
function checked(timing: LeaseTiming): LeaseTiming {
  const { duration, renew, call, margin } = timing;
  if (duration % 1000 !== 0 || duration <= 0) throw new Error("a lease's duration is in whole seconds");
  if (renew + call >= duration - margin) throw new Error("a lease must leave time for a renewal");
  return timing;
}

import { UserError } from "../../base/errors.ts";
import type { Driven, HeldLease } from "./types.ts";

/** The taking of a run's lease, which goes on beside all else and is answered with an event. */
export class Acquisition {
  readonly #driver: Driven;
  readonly #stop = new AbortController();
  /** Names that this helper had on leases of the run. */
  readonly #names = new Set<string>();
  #going: Promise<void> | undefined;
  /** Why the lease could not be had. */
  refusal: unknown;

  constructor(driver: Driven) {
    this.#driver = driver;
  }

  get going(): Promise<void> | undefined {
    return this.#going;
  }

  stop(): void {
    this.#stop.abort();
  }

  begin(knownFence: number): void {
    this.#going = this.#acquire(knownFence)
      .catch((error: unknown) => {
        this.#driver.warn(`Not done: ${text(error)}`);
      })
      .finally(() => {
        this.#going = undefined;
      });
  }

  async #acquire(knownFence: number): Promise<void> {
    const { tools, run, send, warn, lost } = this.#driver;
    const lease = await this.#patiently(knownFence).catch((error: unknown) => {
      if (!this.#stop.signal.aborted && tools.purpose?.kind !== "foreground") warn(text(error));
      this.refusal = error;
      return undefined;
    });
    if (lease === undefined) {
      send({ type: "leaseRefused" });
      return;
    }
    this.#names.add(lease.holder);
    this.#driver.lease = lease;
    lease.lost.addEventListener("abort", () => {
      lost(lease);
    });
    send({ type: "leaseAcquired", fence: lease.fence });
    if (lease.lost.aborted) lost(lease);
    await tools.ledger.noteLease(run.run, { holder: lease.holder, fence: lease.fence });
  }

  /** In the foreground nobody else would take the run up later: it is asked until somebody else is seen to hold it. */
  async #patiently(knownFence: number): Promise<HeldLease> {
    const { tools, run, warn } = this.#driver;
    for (;;) {
      let other = false;
      try {
        return await tools.acquire({
          run,
          knownFence,
          former: this.#names,
          signal: this.#stop.signal,
          onWaiting: (holder) => {
            other = true;
            warn(
              `The run is still held by ${holder}: waiting until that one gives it back, or is seen to be dead.`,
            );
          },
        });
      } catch (error) {
        const unanswered = error instanceof UserError && error.code === "lease-held" && !other;
        const again = tools.purpose?.kind === "foreground" && unanswered && !this.#stop.signal.aborted;
        if (!again) throw error;
      }
    }
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

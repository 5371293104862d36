import type { MachineEvent } from "../run/machine.ts";

/** Events that wait for the machine, in order. */
export class Inbox {
  readonly #events: MachineEvent[] = [];
  #wake = Promise.withResolvers<undefined>();

  get empty(): boolean {
    return this.#events.length === 0;
  }

  readonly send = (event: MachineEvent): void => {
    this.#events.push(event);
    this.#wake.resolve(undefined);
  };

  next(): MachineEvent | undefined {
    return this.#events.shift();
  }

  /** Settles when there is an event, or one of `others` does. */
  async news(signal: AbortSignal, ...others: readonly Promise<unknown>[]): Promise<void> {
    this.#wake = Promise.withResolvers<undefined>();
    if (!this.empty) return;
    await Promise.race([this.#wake.promise, untilAborted(signal), ...others]);
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => {
      resolve();
    });
  });

import type { ProcessEngine } from "../engine/index.ts";

/** After so many runs a process is replaced, so that what it gathers stays bounded. */
const RUNS_PER_PROCESS = 25;

interface Warm {
  readonly engine: ProcessEngine;
  readonly runs: number;
}

/** Engine processes that have loaded the SDK and wait for a run. One serves one run at a time. */
export class Engines {
  readonly #start: () => ProcessEngine;
  readonly #idle: Warm[] = [];
  readonly #taken = new Map<ProcessEngine, number>();
  readonly #closing = new Set<Promise<void>>();

  constructor(start: () => ProcessEngine) {
    this.#start = start;
  }

  /** Has at least `count` processes ready or at work. */
  warm(count: number): void {
    while (this.#idle.length + this.#taken.size < count) this.#idle.push({ engine: this.#start(), runs: 0 });
  }

  take(): ProcessEngine {
    const { engine, runs } = this.#idle.pop() ?? { engine: this.#start(), runs: 0 };
    engine.wake();
    this.#taken.set(engine, runs + 1);
    return engine;
  }

  giveBack(engine: ProcessEngine): void {
    const runs = this.#taken.get(engine) ?? RUNS_PER_PROCESS;
    this.#taken.delete(engine);
    if (runs < RUNS_PER_PROCESS) this.#idle.push({ engine, runs });
    else this.#close(engine);
  }

  async close(): Promise<void> {
    for (const { engine } of this.#idle.splice(0)) this.#close(engine);
    for (const engine of this.#taken.keys()) this.#close(engine);
    await Promise.allSettled(this.#closing);
  }

  #close(engine: ProcessEngine): void {
    const closing = engine.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

import { setTimeout as sleep } from "node:timers/promises";
import type { RunEvent } from "../../schema/events.ts";
import type { ProcessEngine } from "../engine/index.ts";
import {
  type ClaimedRun,
  type Ledger,
  LIVE_STATES,
  type RunStateName,
  type RunSummaryRow,
} from "../ledger/index.ts";
import { choose, type Limits, type Memory } from "../queue/index.ts";
import { Driver } from "./driver.ts";
import type { Engines } from "./engines.ts";
import type { Orphans } from "./orphans.ts";
import type { Place } from "./place.ts";
import type { DriverEnd, DriverTools } from "./types.ts";

/** `serve`: until stopped; `drain`: until nothing is queued or at work; `once`: what is due now; `resume`: only what has lost its helper. */
export type WorkMode = "serve" | "drain" | "once" | "resume";

/** What a worker tells beside the runs' own events. */
export type WorkerNote =
  | { readonly type: "claimed" | "recovering"; readonly run: string }
  | { readonly type: "left"; readonly run: string; readonly end: DriverEnd }
  | { readonly type: "trouble"; readonly message: string };

export interface WorkerTools {
  readonly ledger: Ledger;
  readonly place: Pick<Place, "environment" | "cluster" | "store" | "acquire" | "raiseFence">;
  readonly engines: Pick<Engines, "take" | "giveBack" | "warm">;
  readonly orphans: Pick<Orphans, "find">;
  readonly limits: Limits;
  readonly memory: (starting: number) => Memory;
  /** This worker's name in the ledger. */
  readonly holder: string;
  readonly onEvent: (event: RunEvent) => void;
  readonly onNote: (note: WorkerNote) => void;
  /** After each look around; `worked`: the ledger answered. */
  readonly onTurn?: (worked: boolean) => void;
}

/** Between two looks at the queue, at wishes to cancel, and for runs without a helper. */
const TICK_MS = 500;
const RECOVER_EVERY_MS = 2000;
/** A run that was begun shows in the machine's memory after this. */
const STARTING_MS = 10_000;
const WORKED_ON: readonly RunStateName[] = LIVE_STATES.filter(
  (state) => state !== "queued" && state !== "kept",
);

/** Takes runs from the ledger and brings them to their ends. */
export class Worker {
  readonly #tools: WorkerTools;
  readonly #mode: WorkMode;
  readonly #mine = new Map<string, Driver>();
  readonly #startedAt: number[] = [];
  #wake = Promise.withResolvers<undefined>();
  #turn = 0;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  #undecided = true;
  #finished = 0;
  #troubled = false;

  constructor(tools: WorkerTools, mode: WorkMode) {
    this.#tools = tools;
    this.#mode = mode;
  }

  /**
   * Works until the mode's end or until `stop` aborts; then takes no more, gives what is at work `graceMs` to end, or until `hurry` aborts, and hands
   * over the rest.
   * @returns How many runs came to their end here.
   */
  async work(stop: AbortSignal, graceMs: number, hurry: AbortSignal): Promise<number> {
    this.#tools.engines.warm(this.#mode === "resume" ? 1 : this.#tools.limits.helper);
    let first = true;
    while (!stop.aborted) {
      const done = await this.#tick(first).catch((error: unknown) => {
        this.#trouble(error);
        return undefined;
      });
      this.#tools.onTurn?.(done !== undefined);
      if (done === true) break;
      first = false;
      await this.#pause(stop);
    }
    if (stop.aborted) await this.#leave(graceMs, hurry);
    return this.#finished;
  }

  /** One look around. Tells whether the mode's end is reached. */
  async #tick(first: boolean): Promise<boolean> {
    const { ledger, place } = this.#tools;
    const environment = place.environment.contract.name;
    const [queue, working] = await Promise.all([
      ledger.list({ states: ["queued"], detached: true, environment }),
      ledger.list({ states: WORKED_ON, detached: true, environment }),
    ]);
    for (const { run, cancelRequestedAt } of working)
      if (cancelRequestedAt !== undefined) this.#mine.get(run)?.cancel();
    await this.#recover(working.filter(({ run }) => !this.#mine.has(run)));
    if (this.#mode !== "resume" && (this.#mode !== "once" || first)) await this.#take(queue, working);
    this.#troubled = false;
    return this.#isOver(queue, working);
  }

  #isOver(queue: readonly RunSummaryRow[], working: readonly RunSummaryRow[]): boolean {
    if (this.#mine.size > 0) return false;
    switch (this.#mode) {
      case "serve":
        return false;
      case "drain":
        return queue.length === 0 && working.length === 0;
      case "once":
        return true;
      case "resume":
        return !this.#undecided;
    }
  }

  async #recover(others: readonly RunSummaryRow[]): Promise<void> {
    const now = performance.now();
    if (now - this.#recoveredAt < RECOVER_EVERY_MS) return;
    this.#recoveredAt = now;
    // What carries our name and is not at work here, a defect or the ledger has torn from us.
    const dropped = others.filter(({ holder }) => holder === this.#tools.holder);
    const found = await this.#tools.orphans.find(others.filter((run) => !dropped.includes(run)));
    const orphans = [...dropped, ...found.orphans];
    const { undecided } = found;
    const room = this.#mode === "resume" ? Number.POSITIVE_INFINITY : this.#tools.limits.helper;
    this.#undecided = undecided > 0 || orphans.length > room - this.#mine.size;
    for (const { run } of orphans.slice(0, Math.max(0, room - this.#mine.size))) {
      const { spec, ...row } = await this.#tools.ledger.get(run);
      // Taken, ended or queued again since it was listed.
      if (spec === undefined || !WORKED_ON.includes(row.state) || this.#mine.has(run)) continue;
      this.#tools.onNote({ type: "recovering", run });
      this.#start({ ...row, spec });
    }
  }

  async #take(queue: readonly RunSummaryRow[], working: readonly RunSummaryRow[]): Promise<void> {
    const { ledger, limits, memory, holder, onNote } = this.#tools;
    const now = Date.now();
    const queued = queue.map(({ run, tenant, priority, submittedAt, notBefore }) => ({
      run,
      tenant,
      priority,
      submittedAt: Date.parse(submittedAt),
      notBefore: notBefore === undefined ? undefined : Date.parse(notBefore),
    }));
    const running = working.map(({ run, tenant }) => ({ run, tenant, here: this.#mine.has(run) }));
    // What was begun after the list was read, or is just over.
    for (const { run } of this.#mine.values())
      if (!working.some((row) => row.run === run.run))
        running.push({ run: run.run, tenant: run.tenant, here: true });
    const starting = this.#startedAt.filter((at) => now - at < STARTING_MS).length;
    const { start } = choose({
      queue: queued,
      running,
      limits,
      memory: memory(starting),
      now,
      turn: this.#turn,
    });
    for (const { run } of start) {
      const claimed = await ledger.claim({ holder, run });
      // Another worker was faster.
      if (claimed === undefined) continue;
      this.#turn++;
      this.#startedAt.push(now);
      if (this.#startedAt.length > 100) this.#startedAt.shift();
      onNote({ type: "claimed", run });
      this.#start(claimed);
    }
  }

  #start(run: ClaimedRun): void {
    const { ledger, place, engines, holder, onEvent, onNote } = this.#tools;
    const engine: ProcessEngine = engines.take();
    const { environment, cluster, store, acquire, raiseFence } = place;
    const tools: DriverTools = {
      ledger,
      environment,
      engine,
      cluster,
      store,
      acquire,
      raiseFence,
      holder,
      onEvent,
    };
    let driver: Driver;
    try {
      driver = new Driver(run, tools);
    } catch (error) {
      engines.giveBack(engine);
      this.#trouble(error);
      return;
    }
    this.#mine.set(run.run, driver);
    void driver.done
      .then(
        (end) => {
          if (end === "ended") this.#finished++;
          onNote({ type: "left", run: run.run, end });
        },
        (error: unknown) => {
          this.#trouble(error);
        },
      )
      .finally(() => {
        this.#mine.delete(run.run);
        engines.giveBack(engine);
        this.#wake.resolve(undefined);
      });
  }

  async #pause(stop: AbortSignal): Promise<void> {
    this.#wake = Promise.withResolvers<undefined>();
    await Promise.race([
      this.#wake.promise,
      sleep(TICK_MS, undefined, { signal: stop }).catch(() => undefined),
    ]);
  }

  /** Lets what is at work end, for a while; what is still there then goes to other workers. */
  async #leave(graceMs: number, hurry: AbortSignal): Promise<void> {
    const until = performance.now() + graceMs;
    while (this.#mine.size > 0 && performance.now() < until && !hurry.aborted) {
      this.#wake = Promise.withResolvers<undefined>();
      await Promise.race([
        this.#wake.promise,
        sleep(TICK_MS, undefined, { signal: hurry }).catch(() => undefined),
      ]);
      await this.#cancelWanted().catch(() => undefined);
    }
    await Promise.allSettled([...this.#mine.values()].map(async (driver) => await driver.handOver()));
  }

  async #cancelWanted(): Promise<void> {
    const { ledger } = this.#tools;
    for (const { run, cancelRequestedAt } of await ledger.list({ states: WORKED_ON, detached: true }))
      if (cancelRequestedAt !== undefined) this.#mine.get(run)?.cancel();
  }

  /** A ledger or a cluster that is away is no reason to end: told once, until it works again. */
  #trouble(error: unknown): void {
    if (this.#troubled) return;
    this.#troubled = true;
    this.#tools.onNote({ type: "trouble", message: error instanceof Error ? error.message : String(error) });
  }
}

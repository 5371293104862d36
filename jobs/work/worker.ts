import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../base/errors.ts";
import type { ClaimedRun, RunStateName, RunSummaryRow, TenantLoad } from "../ledger/index.ts";
import { choose, limitsOf, type Memory, roomFor } from "../queue/index.ts";
import { readState } from "./state.ts";
import { streamSpec } from "./streams.ts";
import type { Driving, WorkerTools, WorkMode } from "./worker-types.ts";

export type { WorkerNote, WorkMode } from "./worker-types.ts";

/** Between two looks at the queue, at wishes to cancel, and for runs without a helper. */
const TICK_MS = 500;
/** Ticks: who works on a run asks for its lease, which costs a request. */
const RECOVER_EVERY = 4;
const PRUNE_EVERY_MS = 3_600_000;
/** A run that was begun shows in the machine's memory after this. */
const STARTING_MS = 10_000;
const WORKED_ON: readonly RunStateName[] = ["planning", "creating", "running", "finishing", "destroying"];

/** Takes runs from the ledger and brings them to their ends. */
export class Worker<E> {
  readonly #tools: WorkerTools<E>;
  readonly #mode: WorkMode;
  readonly #mine = new Map<string, Driving>();
  readonly #startedAt: number[] = [];
  /** Of another version, or damaged: told once, then passed over, for the others' sake. */
  readonly #unreadable = new Set<string>();
  #wake = Promise.withResolvers<undefined>();
  #turn = 0;
  #recoveredAt = Number.NEGATIVE_INFINITY;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #undecided = true;
  #finished = 0;
  #troubled = false;
  #heldBack = false;

  constructor(tools: WorkerTools<E>, mode: WorkMode) {
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
    await this.#leave(stop.aborted ? graceMs : 0, hurry);
    return this.#finished;
  }

  /** One look around. Tells whether the mode's end is reached. */
  async #tick(first: boolean): Promise<boolean> {
    const load = await this.#tools.ledger.load(this.#tools.environment, [...this.#unreadable]);
    await this.#heedWishes();
    await this.#recover();
    if (this.#mode !== "resume" && (this.#mode !== "once" || first)) await this.#take(load);
    await this.#prune();
    this.#troubled = false;
    return await this.#isOver(load);
  }

  async #isOver(load: readonly TenantLoad[]): Promise<boolean> {
    if (this.#atWork()) return false;
    switch (this.#mode) {
      case "serve":
        return false;
      case "drain":
        return load.every(({ queued }) => queued === 0) && (await this.#othersRest(load));
      case "once":
        return true;
      case "resume":
        return !this.#undecided;
    }
  }

  /** Whether a run of ours is not a stream that rests. */
  #atWork(): boolean {
    return [...this.#mine.values()].some(({ resting }) => !resting);
  }

  /** Whether all that is at work elsewhere are streams that run. */
  async #othersRest(load: readonly TenantLoad[]): Promise<boolean> {
    const { ledger, environment } = this.#tools;
    if (load.reduce((sum, { working }) => sum + working, 0) <= this.#mine.size) return true;
    const working = await ledger.list({
      states: WORKED_ON,
      detached: true,
      environment,
      onUnreadable: () => undefined,
    });
    const others = working.filter(({ run }) => !this.#mine.has(run) && !this.#unreadable.has(run));
    for (const { run, state, wish, cancelRequestedAt } of others) {
      if (state !== "running" || wish !== undefined || cancelRequestedAt !== undefined) return false;
      if (streamSpec((await ledger.get(run)).spec) === undefined) return false;
    }
    return true;
  }

  async #recover(): Promise<void> {
    const now = performance.now();
    if (now - this.#recoveredAt < RECOVER_EVERY * this.#tickMs) return;
    this.#recoveredAt = now;
    const { ledger, environment, orphans, holder, limits, onNote } = this.#tools;
    const working = await ledger.list({
      states: WORKED_ON,
      detached: true,
      environment,
      onUnreadable: (run, error) => {
        this.#passOver(run, error);
      },
    });
    const others = working.filter(({ run }) => !this.#mine.has(run) && !this.#unreadable.has(run));
    // What carries our name and is not at work here, a defect or the ledger has torn from us.
    const isDropped = (run: RunSummaryRow): boolean => run.holder === holder;
    const found = await orphans.find(others.filter((run) => !isDropped(run)));
    const all = [...others.filter(isDropped), ...found.orphans];
    const places = this.#mode === "resume" ? Number.POSITIVE_INFINITY : limits.helper - this.#mine.size;
    // One at least, or nobody would ever go on with it: it has its cluster already.
    const affordable = Math.max(this.#mine.size === 0 ? 1 : 0, this.#room());
    const room = Math.max(0, Math.min(places, affordable));
    this.#undecided = found.undecided > 0 || all.length > room;
    for (const { run } of all.slice(0, room)) {
      await this.#tryReading(run, async () => {
        const { spec, ...row } = await ledger.get(run);
        // Taken, ended or queued again since it was listed.
        if (spec === undefined || !WORKED_ON.includes(row.state) || this.#mine.has(run)) return;
        readState(run, row.machine ?? "");
        onNote({ type: "recovering", run });
        this.#start({ ...row, spec });
      });
    }
  }

  get #tickMs(): number {
    return this.#tools.tickMs ?? TICK_MS;
  }

  /** For how many further runs there is memory. */
  #room(): number {
    return roomFor(this.#memory());
  }

  #memory(): Memory {
    const now = performance.now();
    return this.#tools.memory(this.#startedAt.filter((at) => now - at < STARTING_MS).length);
  }

  async #take(load: readonly TenantLoad[]): Promise<void> {
    const { ledger, environment, limits, holder, onNote } = this.#tools;
    const places = limits.helper - this.#mine.size;
    const queued = load.reduce((sum, of) => sum + of.queued, 0);
    if (places <= 0 || queued === 0) return;
    const running = new Map(load.map(({ tenant, working, kept }) => [tenant, working + kept]));
    const queue = await ledger.heads({
      environment,
      perTenant: places,
      without: [...running].flatMap(([tenant, has]) =>
        has >= limitsOf(limits, tenant).running ? [tenant] : [],
      ),
      except: [...this.#unreadable],
    });
    const { start, heldBack } = choose({
      queue: queue.map(({ submittedAt, notBefore, ...run }) => ({
        ...run,
        submittedAt: Date.parse(submittedAt),
        notBefore: notBefore === undefined ? undefined : Date.parse(notBefore),
      })),
      running,
      here: this.#mine.size,
      limits,
      memory: this.#memory(),
      now: Date.now(),
      turn: this.#turn,
    });
    for (const { run, tenant } of start) {
      await this.#tryReading(run, async () => {
        const claimed = await ledger.claim({
          holder,
          run,
          running: limitsOf(limits, tenant).running,
          // What this version can't work on stays in the queue, for a worker that can.
          accept: ({ machine }) => readState(run, machine ?? ""),
        });
        // Another worker was faster, with this run or with the tenant's last place.
        if (claimed === undefined) return;
        this.#turn++;
        onNote({ type: "claimed", run });
        this.#start(claimed);
      });
    }
    this.#tellHeldBack(start.length === 0 && heldBack.some(({ because }) => because === "memory"), queued);
  }

  /** Once, until something is taken again: else nobody knew why nothing is. */
  #tellHeldBack(byMemory: boolean, queued: number): void {
    const told = this.#heldBack;
    this.#heldBack = byMemory && this.#mine.size === 0;
    if (this.#heldBack && !told) this.#tools.onNote({ type: "held-back", because: "memory", queued });
  }

  /** One run that can't be read does not keep the worker from the others. */
  async #tryReading(run: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== "run-unreadable") throw error;
      this.#passOver(run, error);
    }
  }

  #passOver(run: string, { message, hint }: UserError): void {
    if (this.#unreadable.has(run)) return;
    this.#unreadable.add(run);
    this.#tools.onNote({ type: "trouble", message: hint === undefined ? message : `${message} ${hint}` });
  }

  #start(run: ClaimedRun): void {
    const { engines, drive, onNote } = this.#tools;
    const engine = engines.take();
    let driver: Driving;
    try {
      driver = drive(run, engine);
    } catch (error) {
      engines.giveBack(engine);
      throw error;
    }
    this.#mine.set(run.run, driver);
    this.#startedAt.push(performance.now());
    if (this.#startedAt.length > 100) this.#startedAt.shift();
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
      sleep(this.#tickMs, undefined, { signal: stop }).catch(() => undefined),
    ]);
  }

  /** Lets what is at work end, for a while; what is still there then goes to other workers. */
  async #leave(graceMs: number, hurry: AbortSignal): Promise<void> {
    const until = performance.now() + graceMs;
    while (this.#atWork() && performance.now() < until && !hurry.aborted) {
      await this.#pause(hurry);
      await this.#heedWishes().catch(() => undefined);
    }
    await Promise.allSettled([...this.#mine.values()].map(async (driver) => await driver.handOver()));
  }

  async #heedWishes(): Promise<void> {
    const { ledger, holder } = this.#tools;
    if (this.#mine.size === 0) return;
    for (const { run, cancel, wish } of await ledger.wished(holder)) {
      const driver = this.#mine.get(run);
      if (cancel) driver?.cancel();
      if (wish !== undefined) driver?.heed(wish);
    }
  }

  async #prune(): Promise<void> {
    const now = performance.now();
    if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = now;
    await this.#tools.prune();
  }

  /** A ledger or a cluster that is away is no reason to end: told once, until it works again. */
  #trouble(error: unknown): void {
    if (this.#troubled) return;
    this.#troubled = true;
    this.#tools.onNote({ type: "trouble", message: error instanceof Error ? error.message : String(error) });
  }
}

import type { FlinkPlan, Plan } from "../../schema/plan.ts";
import { LeaseLost } from "../lease/index.ts";
import { saveLogs } from "../run/collect.ts";
import { type MachineEvent, memoryScale, type RunFacts } from "../run/machine.ts";
import type { Removal } from "../run/removal.ts";
import { Acquisition } from "./acquisition.ts";
import { Ahead } from "./ahead.ts";
import { forgetState, planAgain, planOf } from "./attempt-plan.ts";
import { bringUp, dropStack, type Hand, makeStack, pause, Refusal, recover, remove } from "./hands.ts";
import { failureOf, type Long } from "./long.ts";
import { streamOf } from "./streams.ts";
import type { Driven, HeldLease } from "./types.ts";
import { watch } from "./watch.ts";

/** A verdict may come while `up` still writes its state; it gets this long to end by itself. */
const UP_GRACE_MS = 3000;

/** What is known of the attempt at work beside the machine's state. */
const FRESH = { made: false, driverSeen: false, verdict: false, stackGone: false, namespaceSeen: false };

/** The effects of one run that take their time: each is answered with an event, unless it was stopped. */
export class Effects {
  readonly #driver: Driven;
  readonly #acquisition: Acquisition;
  readonly #tasks = new Set<Promise<void>>();
  #stop = new AbortController();
  #up: Promise<void> = Promise.resolve();
  #watching = false;
  #ahead: Ahead | undefined;
  #refusal: unknown;
  // What another helper made may have logs.
  #attempt = { ...FRESH, namespaceSeen: true };
  /** What became of the last removal. */
  removal: Removal | undefined;

  constructor(driver: Driven) {
    this.#driver = driver;
    this.#acquisition = new Acquisition(driver);
  }

  /** Whether the attempt was seen at work by this helper. */
  get working(): boolean {
    return this.#attempt.driverSeen;
  }

  get idle(): boolean {
    return this.#tasks.size === 0 && this.#acquisition.going === undefined;
  }

  /** Why the run could not begin, as its caller is to be told. */
  async refusal(): Promise<unknown> {
    const ahead = await this.#ahead?.failure();
    return this.#refusal ?? (ahead instanceof Refusal ? ahead.cause : ahead) ?? this.#acquisition.refusal;
  }

  /** Settles when any of what goes on now has ended. */
  async settled(): Promise<void> {
    const { going } = this.#acquisition;
    const all = going === undefined ? [...this.#tasks] : [...this.#tasks, going];
    await (all.length === 0 ? new Promise(() => undefined) : Promise.race(all));
  }

  /** Tells all that goes on to stop. */
  abort(): void {
    this.#stop.abort();
  }

  stopAcquiring(): void {
    this.#acquisition.stop();
  }

  /** Stops what goes on but for the taking of the lease, and waits until it has. */
  async stop(): Promise<void> {
    if (this.#attempt.verdict && !this.#stop.signal.aborted)
      await Promise.race([this.#up, pause(UP_GRACE_MS, this.#stop.signal)]);
    this.#stop.abort();
    await Promise.allSettled(this.#tasks);
    this.#watching = false;
    await this.#ahead?.drop().catch((error: unknown) => {
      this.#driver.warn(text(error));
    });
    this.#stop = new AbortController();
  }

  async end(): Promise<void> {
    this.#acquisition.stop();
    await this.#acquisition.going;
    await this.stop();
  }

  acquire(knownFence: number): void {
    this.#acquisition.begin(knownFence);
  }

  /** Begins an attempt that is planned already, beside the taking of its lease. */
  beginAhead(plan: Plan): void {
    const ahead = new Ahead(plan, this.#driver.tools);
    this.#ahead = ahead;
    this.#attempt = { ...FRESH };
    void ahead.failure().then((error) => {
      // Nothing comes of it: the API server may well be away.
      if (error !== undefined) this.stopAcquiring();
    });
  }

  /** Answers after a while with the event that the next attempt is due. */
  wait(attempt: number, ms: number): void {
    const { signal } = this.#stop;
    void this.#task(async () => {
      await pause(ms, signal);
      if (!signal.aborted) this.#driver.send({ type: "retryDue", attempt });
    });
  }

  begin(effect: Long): void {
    const { lease, send } = this.#driver;
    // Lost meanwhile: that is on its way to the machine.
    if (lease === undefined) return;
    if (effect.type === "watch") {
      if (this.#watching) return;
      this.#watching = true;
    }
    const { signal } = this.#stop;
    const answer = (event: MachineEvent | undefined): void => {
      if (event !== undefined && !signal.aborted) send(event);
    };
    const task = this.#task(async () => {
      try {
        if ("afterMs" in effect) await pause(effect.afterMs, signal);
        if (!signal.aborted) answer(await this.#perform(effect, lease, signal));
      } catch (error) {
        if (error instanceof LeaseLost) this.#lost(lease, error, signal);
        else {
          if (error instanceof Refusal) this.#refusal = error.cause;
          answer(failureOf(effect.type, error, lease.fence));
        }
      } finally {
        if (effect.type === "watch" && !signal.aborted) this.#watching = false;
      }
    });
    if (effect.type === "up") this.#up = task;
  }

  /** Works on a running stream, without an answer to the machine. */
  readonly beside = (work: (hand: Hand, stream: FlinkPlan) => Promise<void>): void => {
    const { lease, plan } = this.#driver;
    const stream = streamOf(plan);
    if (lease === undefined || stream === undefined) return;
    const { signal } = this.#stop;
    void this.#task(async () => {
      try {
        await work(this.#hand(lease, signal), stream);
      } catch (error) {
        if (error instanceof LeaseLost) this.#lost(lease, error, signal);
        else throw error;
      }
    });
  };

  /** The API server, or the lease itself, says that another helper works on the run. */
  #lost(lease: HeldLease, { message }: LeaseLost, signal: AbortSignal): void {
    if (!signal.aborted) this.#driver.warn(message);
    this.#driver.lost(lease);
  }

  #task(work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => {
        this.#driver.warn(`Not done: ${text(error)}`);
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
    return task;
  }

  async #perform(effect: Long, lease: HeldLease, signal: AbortSignal): Promise<MachineEvent | undefined> {
    const { fence } = lease;
    if (effect.type === "plan") {
      await this.#plan(effect);
      return { type: "planned", fence };
    }
    const hand = this.#hand(lease, signal);
    switch (effect.type) {
      case "createStack":
        await (this.#ahead?.plan === hand.plan ? this.#ahead.take() : makeStack(hand));
        return { type: "stackCreated", fence };
      case "up":
        return await this.#bringUp(hand, fence);
      case "watch":
        return await this.#watch(hand, fence);
      case "suspend":
        return await this.#suspend(effect.trigger, hand, fence);
      case "recover": {
        const { state } = this.#driver;
        // What is only to go is not put in order first.
        const half = "was" in state && state.was === "creating" && state.outcome === undefined;
        await recover(hand, half);
        if (half) await this.#goOn(state.facts);
        return { type: "recovered", fence };
      }
      case "saveLogs":
        if (!this.#attempt.namespaceSeen) return { type: "logsSaved", fence };
        hand.journal.enter("collecting");
        await lease.guard();
        await saveLogs(hand.plan, hand.tools.cluster, hand.tools.store, hand.journal, signal);
        return { type: "logsSaved", fence };
      case "destroy":
        return await this.#destroy(hand, fence);
      case "removeStack":
        if (!this.#attempt.stackGone) await dropStack(hand);
        return { type: "stackRemoved", fence };
    }
  }

  async #plan({ attempt, memory }: Extract<Long, { type: "plan" }>): Promise<void> {
    if (this.#ahead?.plan.attempt === attempt) return;
    const { patch, adopt } = this.#driver;
    const plan = await planOf(this.#driver, attempt, memory);
    this.#attempt = { ...FRESH };
    // In the ledger before anything exists, so that another helper finds what this one made.
    await patch({ plan, attempt, outcome: undefined });
    await adopt(plan);
  }

  /** A half-made attempt of a stream may have worked already: it is made again to go on from there. */
  async #goOn(facts: RunFacts): Promise<void> {
    const again = await planAgain(this.#driver, facts.attempt, memoryScale(facts));
    if (again !== undefined) await this.#driver.become(again);
  }

  async #suspend(trigger: string, hand: Hand, fence: number): Promise<MachineEvent> {
    const stream = streamOf(hand.plan);
    if (stream === undefined) throw new Error("only a stream can be suspended");
    const { wish, clock } = this.#driver;
    const asked =
      // Somebody who is content with a checkpoint does not wait for the savepoint that was asked for before.
      wish?.kind === "suspend" && (wish.id === trigger || wish.lastState !== undefined)
        ? wish
        : { id: trigger, at: new Date(clock()).toISOString() };
    const { suspend } = await import("./stream-hands.ts");
    return { type: "savepointTaken", savepoint: await suspend(hand, stream, asked), fence };
  }

  #hand(lease: HeldLease, signal: AbortSignal): Hand {
    const { plan, spec, tools, journal, clock, startedAt } = this.#driver;
    if (plan === undefined || journal === undefined) throw new Error("there is no plan yet");
    return { plan, spec, tools, journal, lease, signal, clock, startedAt };
  }

  async #bringUp(hand: Hand, fence: number): Promise<MachineEvent | undefined> {
    const failed = await bringUp(hand, () => {
      this.#attempt.namespaceSeen = true;
    });
    // The verdict of a watch that came first stays.
    if (failed !== undefined)
      return this.#attempt.verdict ? undefined : { type: "failed", step: "up", outcome: failed, fence };
    this.#attempt.made = true;
    this.#driver.send({ type: "objectsExist", fence });
    return this.#attempt.driverSeen ? { type: "driverStarted", fence } : undefined;
  }

  async #watch(hand: Hand, fence: number): Promise<MachineEvent> {
    const { phase } = this.#driver.state;
    const fresh = phase !== "running" && phase !== "suspending";
    // Of a run that goes on: all was there when the one before ran it.
    if (!fresh) this.#attempt.made = true;
    const { outcome, observed } = await watch(hand, fresh, () => {
      this.#attempt.driverSeen = true;
      // "Running" means that all is there: a helper that finds such a run need not make anything.
      if (this.#attempt.made && !hand.signal.aborted) this.#driver.send({ type: "driverStarted", fence });
    });
    if (!hand.signal.aborted) this.#attempt.verdict = true;
    this.#driver.observed = observed;
    return { type: "verdict", outcome, fence };
  }

  async #destroy(hand: Hand, fence: number): Promise<MachineEvent> {
    const { journal } = hand;
    journal.enter("destroying");
    this.removal = await remove(hand, () => {
      journal.enter("verifying");
    });
    const { left } = this.removal;
    if (left.length === 0) {
      journal.reach("gone");
      this.#attempt.stackGone = true;
      await forgetState(this.#driver, hand.plan);
    }
    journal.left(left);
    return { type: "destroyed", left, fence };
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

import type { Outcome } from "../../schema/outcome.ts";
import { LeaseLost } from "../lease/index.ts";
import { saveLogs } from "../run/collect.ts";
import type { Effect, MachineEvent } from "../run/machine.ts";
import { planAttempt } from "../run/prepare.ts";
import {
  bringUp,
  dropStack,
  type Hand,
  infrastructure,
  makeStack,
  outcomeOfFailedPlan,
  pause,
  recover,
  remove,
  watch,
} from "./hands.ts";
import type { Driven, HeldLease } from "./types.ts";

/** A verdict may come while `up` still writes its state; it gets this long to end by itself. */
const UP_GRACE_MS = 3000;

type Long = Extract<
  Effect,
  {
    readonly type:
      | "plan"
      | "createStack"
      | "up"
      | "watch"
      | "recover"
      | "saveLogs"
      | "destroy"
      | "removeStack";
  }
>;

/** The effects of one run that take their time: each is answered with an event, unless it was stopped. */
export class Effects {
  readonly #driver: Driven;
  readonly #tasks = new Set<Promise<void>>();
  #stop = new AbortController();
  readonly #acquiring = new AbortController();
  #up: Promise<void> = Promise.resolve();
  #made = false;
  #driverSeen = false;
  #verdict = false;
  #stackGone = false;

  constructor(driver: Driven) {
    this.#driver = driver;
  }

  get idle(): boolean {
    return this.#tasks.size === 0;
  }

  /** Settles when any of what goes on now has ended. */
  async settled(): Promise<void> {
    await (this.idle ? new Promise(() => undefined) : Promise.race(this.#tasks));
  }

  /** Tells all that goes on to stop. */
  abort(): void {
    this.#stop.abort();
  }

  stopAcquiring(): void {
    this.#acquiring.abort();
  }

  /** Stops what goes on, and waits until it has. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.allSettled(this.#tasks);
    this.#stop = new AbortController();
  }

  async end(): Promise<void> {
    this.stopAcquiring();
    await this.stop();
  }

  acquire(knownFence: number): void {
    const { tools, run, send, warn, lost } = this.#driver;
    void this.#task(async () => {
      let lease: HeldLease;
      try {
        lease = await tools.acquire({
          run,
          knownFence,
          signal: this.#acquiring.signal,
          onWaiting: (holder) => {
            warn(
              `The run is still held by ${holder}: waiting until that one gives it back, or is seen to be dead.`,
            );
          },
        });
      } catch (error) {
        if (!this.#acquiring.signal.aborted) warn(error instanceof Error ? error.message : String(error));
        send({ type: "leaseRefused" });
        return;
      }
      this.#driver.lease = lease;
      lease.lost.addEventListener("abort", () => {
        lost(lease);
      });
      send({ type: "leaseAcquired", fence: lease.fence });
      if (lease.lost.aborted) lost(lease);
      await tools.ledger.noteLease(run.run, { holder: lease.holder, fence: lease.fence });
    });
  }

  begin(effect: Long): void {
    const { lease, send } = this.#driver;
    // Lost meanwhile: that is on its way to the machine.
    if (lease === undefined) return;
    const { signal } = this.#stop;
    const answer = (event: MachineEvent | undefined): void => {
      if (event !== undefined && !signal.aborted) send(event);
    };
    const task = this.#task(async () => {
      try {
        if ("afterMs" in effect) await pause(effect.afterMs, signal);
        if (!signal.aborted) answer(await this.#perform(effect, lease, signal));
      } catch (error) {
        // The API server, or the lease itself, says that another helper works on the run.
        if (error instanceof LeaseLost) {
          if (!signal.aborted) this.#driver.warn(error.message);
          this.#driver.lost(lease);
        } else answer(failure(effect, error, lease.fence));
      }
    });
    if (effect.type === "up") this.#up = task;
  }

  #task(work: () => Promise<void>): Promise<void> {
    const task = work()
      .catch((error: unknown) => {
        this.#driver.warn(`Not done: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => this.#tasks.delete(task));
    this.#tasks.add(task);
    return task;
  }

  async #perform(effect: Long, lease: HeldLease, signal: AbortSignal): Promise<MachineEvent | undefined> {
    const { fence } = lease;
    if (effect.type === "plan") {
      await this.#plan(effect.attempt);
      return { type: "planned", fence };
    }
    const hand = this.#hand(lease, signal);
    switch (effect.type) {
      case "createStack":
        await makeStack(hand);
        return { type: "stackCreated", fence };
      case "up":
        return await this.#bringUp(hand, fence);
      case "watch":
        return await this.#watch(hand, fence);
      case "recover": {
        const { state } = this.#driver;
        await recover(hand, "was" in state ? state.was : "");
        return { type: "recovered", fence };
      }
      case "saveLogs":
        hand.journal.enter("collecting");
        await saveLogs(hand.plan, hand.tools.cluster, hand.tools.store, hand.journal, signal);
        return { type: "logsSaved", fence };
      case "destroy":
        return await this.#destroy(hand, fence);
      case "removeStack":
        if (!this.#stackGone) await dropStack(hand);
        return { type: "stackRemoved", fence };
    }
  }

  async #plan(attempt: number): Promise<void> {
    const { tools, run, openJournal, patch } = this.#driver;
    const { plan } = await planAttempt(run.spec, tools.environment.contract, { run: run.run, attempt });
    this.#made = false;
    this.#driverSeen = false;
    this.#verdict = false;
    this.#stackGone = false;
    // In the ledger before anything exists, so that another helper finds what this one made.
    await patch({ plan, attempt, outcome: undefined });
    const { plannedEvent } = await import("../report/index.ts");
    const journal = openJournal(plan);
    journal.pass(plannedEvent(plan, new Date()));
    journal.enter("preparing");
  }

  #hand(lease: HeldLease, signal: AbortSignal): Hand {
    const { plan, tools, journal } = this.#driver;
    if (plan === undefined || journal === undefined) throw new Error("there is no plan yet");
    return { plan, tools, journal, lease, signal };
  }

  async #bringUp(hand: Hand, fence: number): Promise<MachineEvent | undefined> {
    const failed = await bringUp(hand);
    // The verdict of a watch that came first stays.
    if (failed !== undefined)
      return this.#verdict ? undefined : { type: "failed", step: "up", outcome: failed, fence };
    this.#made = true;
    this.#driver.send({ type: "objectsExist", fence });
    return this.#driverSeen ? { type: "driverStarted", fence } : undefined;
  }

  async #watch(hand: Hand, fence: number): Promise<MachineEvent> {
    const { outcome, observed } = await watch(hand, () => {
      this.#driverSeen = true;
      // "Running" means that all is there: a helper that finds such a run need not make anything.
      if (this.#made && !hand.signal.aborted) this.#driver.send({ type: "driverStarted", fence });
    });
    this.#verdict = true;
    this.#driver.observed = observed;
    if (!hand.signal.aborted) {
      hand.journal.decide(outcome);
      await Promise.race([this.#up, pause(UP_GRACE_MS, hand.signal)]);
    }
    return { type: "verdict", outcome, fence };
  }

  async #destroy(hand: Hand, fence: number): Promise<MachineEvent> {
    const { journal } = hand;
    journal.enter("destroying");
    const { left } = await remove(hand, () => {
      journal.enter("verifying");
    });
    if (left.length === 0) {
      journal.reach("gone");
      this.#stackGone = true;
    }
    journal.left(left);
    return { type: "destroyed", left, fence };
  }
}

/** What a failed effect means to the machine. */
function failure({ type }: Long, error: unknown, fence: number): MachineEvent {
  const message = error instanceof Error ? error.message : String(error);
  const outcome = (what: string): Outcome => infrastructure(what, error);
  switch (type) {
    case "plan":
      return { type: "failed", step: "plan", outcome: outcomeOfFailedPlan(error), fence };
    case "createStack":
      return { type: "failed", step: type, outcome: outcome("The cluster could not be made"), fence };
    case "up":
      return { type: "failed", step: type, outcome: outcome("The cluster could not be made"), fence };
    case "watch":
      return { type: "failed", step: type, outcome: outcome("The run could not be watched"), fence };
    case "recover":
    case "saveLogs":
    case "destroy":
    case "removeStack":
      return { type: "failed", step: type, message, fence };
  }
}

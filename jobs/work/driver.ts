import type { RunEvent } from "../../schema/events.ts";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import type { ClaimedRun, RunPatch } from "../ledger/index.ts";
import { saveReport } from "../run/collect.ts";
import { environmentRemarks } from "../run/environment.ts";
import { Journal } from "../run/journal.ts";
import { type Effect, type MachineEvent, type RunState, reduce, type Step } from "../run/machine.ts";
import type { RunRecords } from "../run/records.ts";
import type { ObservedRun } from "../watch/index.ts";
import { Deadlines } from "./deadlines.ts";
import { Effects } from "./effects.ts";
import { reportOf, workerRecord } from "./record.ts";
import { isChanged, Row } from "./row.ts";
import { ledgerState, outcomeOf, readState, writeState } from "./state.ts";
import type { Driven, DriverEnd, DriverTools, HeldLease } from "./types.ts";

/** Until a run is tried again whose lease could not be had. */
const REFUSED_MS = 5000;

/**
 * Brings one run to its end: each event goes through the machine, the new state into the ledger, then its effects are done in order.
 * Long ones go on beside it, and answer with an event.
 */
export class Driver implements Driven {
  readonly run: ClaimedRun;
  readonly tools: DriverTools;
  readonly submittedAt: Date;
  /** Settles when this helper has nothing more to do with the run. */
  readonly done: Promise<DriverEnd>;
  plan: Plan | undefined;
  lease: HeldLease | undefined;
  journal: Journal | undefined;
  observed: ObservedRun | undefined;
  /** Aborted when the run is not ours any more. */
  readonly #gone = new AbortController();
  readonly #row: Row;
  readonly #effects: Effects;
  readonly #deadlines: Deadlines;
  readonly #events: MachineEvent[] = [];
  #wake = Promise.withResolvers<undefined>();
  #state: RunState;
  #report: RunReport | undefined;
  #leaving = false;

  /** @throws UserError `run-unreadable` */
  constructor(run: ClaimedRun, tools: DriverTools) {
    this.run = run;
    this.tools = tools;
    this.plan = run.plan;
    this.submittedAt = new Date(run.submittedAt);
    this.#state = readState(run.run, run.machine ?? "");
    this.#row = new Row(tools.ledger, run, this.#gone.signal);
    this.#effects = new Effects(this);
    this.#deadlines = new Deadlines(run.spec, this.submittedAt, (name, limitSeconds) => {
      const fence = this.lease?.fence ?? 0;
      this.send({ type: "deadline", name, limitSeconds, fence });
    });
    if (this.plan !== undefined && this.#state.phase !== "queued") this.openJournal(this.plan);
    this.done = this.#work();
  }

  get state(): RunState {
    return this.#state;
  }

  /** Nobody may touch the run on our behalf any more. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Asking again changes nothing. */
  readonly cancel = (): void => {
    if (!this.#state.facts.cancelRequested) this.send({ type: "cancelRequested" });
  };

  /** Stops working on it in an orderly way, so that another helper goes on. */
  readonly handOver = async (): Promise<DriverEnd> => {
    this.#leaving = true;
    if (this.lease === undefined) this.#effects.stopAcquiring();
    else this.send({ type: "leaseLost", fence: this.lease.fence });
    return await this.done;
  };

  readonly send = (event: MachineEvent): void => {
    this.#events.push(event);
    this.#wake.resolve(undefined);
  };

  /** The lease is lost: stop at once, then say so to the machine. */
  readonly lost = (lease: HeldLease): void => {
    if (this.lease !== lease) return;
    this.#effects.abort();
    this.send({ type: "leaseLost", fence: lease.fence });
  };

  readonly patch = async (patch: RunPatch): Promise<void> => {
    try {
      await this.#row.patch(patch);
    } catch (error) {
      if (isChanged(error)) this.#gone.abort();
      throw error;
    }
  };

  /** Says something before there is a plan. */
  readonly tell = (event: RunEvent): void => {
    this.tools.onEvent(event);
    this.#row.append([event]).catch(() => undefined);
  };

  readonly warn = (message: string): void => {
    if (this.journal !== undefined) this.journal.warn(message);
    else this.tell({ type: "warning", at: new Date().toISOString(), run: this.run.run, message });
  };

  /** Records an attempt from now on. */
  readonly openJournal = (plan: Plan): Journal => {
    this.plan = plan;
    this.observed = undefined;
    this.#report = undefined;
    const { run, tools } = this;
    this.journal = new Journal(this.#records(), workerRecord(run, plan, tools.holder), tools.onEvent);
    if (plan.attempt === 1)
      for (const remark of environmentRemarks(tools.environment)) this.journal.warn(remark);
    return this.journal;
  };

  /** The journal's door to the ledger: phases and events only, for the machine's states are written by the machine's driver. */
  #records(): RunRecords {
    let shown: string | undefined;
    return {
      add: notAsked,
      get: notAsked,
      remove: notAsked,
      put: async ({ phase }) => {
        if (phase === shown) return;
        shown = phase;
        await this.patch({ phase });
      },
      append: async (_run, events) => {
        await this.#row.append(events);
      },
    };
  }

  async #work(): Promise<DriverEnd> {
    this.#begin();
    try {
      while (!this.#gone.signal.aborted && this.#hasMore()) {
        const event = this.#events.shift();
        if (event === undefined) await this.#news();
        else await this.#handle(event);
      }
    } catch (error) {
      if (!isChanged(error)) throw error;
    } finally {
      this.#deadlines.clear();
      await this.#effects.end();
      if (this.#gone.signal.aborted || this.#leaving) await this.#giveBack();
    }
    return this.#end();
  }

  /** Where the run is found: fresh from the queue, or left by a helper that died, of which the lease will tell. */
  #begin(): void {
    const { phase } = this.#state;
    const waits = phase === "queued" || phase === "new";
    if (!waits || ("asked" in this.#state && this.#state.asked)) this.send({ type: "helperRestarted" });
    if (waits) this.send({ type: "claimed" });
    if (this.run.cancelRequestedAt !== undefined) this.cancel();
    this.#deadlines.begin();
  }

  async #news(): Promise<void> {
    this.#wake = Promise.withResolvers<undefined>();
    if (this.#events.length > 0) return;
    // A task that ends without an answer is news too: there may be nothing more to wait for.
    await Promise.race([this.#wake.promise, this.#effects.settled(), untilAborted(this.#gone.signal)]);
  }

  async #handle(event: MachineEvent): Promise<void> {
    const before = this.#state;
    const step = reduce(before, event);
    if (step.state === before && step.effects.length === 0) return;
    this.#state = step.state;
    this.#decide(step);
    await this.#write(step);
    this.#deadlines.follow(before, step.state);
    for (const effect of step.effects) await this.#do(effect);
    if (this.#isOver()) this.#effects.stopAcquiring();
  }

  #decide({ state, effects }: Step): void {
    // Of an attempt that is followed by another one the journal has been told where it ended.
    const outcome = outcomeOf(state);
    if (outcome === undefined) return;
    if (this.journal !== undefined) this.journal.decide(outcome);
    else if (effects.some(({ type }) => type === "report"))
      this.tell({ type: "outcome", at: new Date().toISOString(), run: this.run.run, outcome });
  }

  async #write({ state, effects }: Step): Promise<void> {
    const outcome = outcomeOf(state);
    const ended = "left" in state;
    if (effects.some(({ type }) => type === "report")) this.#report = await reportOf(this, state);
    const retries = effects.some(({ type }) => type === "scheduleRetry");
    const refused = state.phase === "queued" && !state.asked && !retries && !this.#leaving;
    const idle = (state.phase === "adrift" || state.phase === "queued") && !state.asked;
    await this.patch({
      machine: writeState(state),
      fence: state.facts.fence,
      // Not in the queue again before its report is saved and its lease given back: see scheduleRetry.
      ...(retries ? {} : { state: ledgerState(state), holder: idle ? undefined : this.tools.holder }),
      ...(refused ? { notBefore: new Date(Date.now() + REFUSED_MS).toISOString() } : {}),
      ...(outcome === undefined ? {} : { outcome }),
      ...(ended ? { left: state.left, endedAt: new Date().toISOString() } : {}),
      ...(this.#report === undefined ? {} : { report: this.#report }),
    });
  }

  async #do(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "report":
        await this.#saveReport(effect.final);
        break;
      case "releaseLease":
        await this.#release(effect.remove);
        break;
      case "scheduleRetry": {
        const notBefore = new Date(Date.now() + effect.afterMs).toISOString();
        await this.journal?.flush();
        await this.patch({ state: "queued", notBefore, holder: undefined });
        break;
      }
      case "stop":
        await this.#effects.stop();
        break;
      case "acquireLease":
        this.#effects.acquire(effect.knownFence);
        break;
      case "plan":
      case "createStack":
      case "up":
      case "watch":
      case "recover":
      case "saveLogs":
      case "destroy":
      case "removeStack":
        this.#effects.begin(effect);
        break;
    }
  }

  async #saveReport(final: boolean): Promise<void> {
    const report = this.#report;
    if (report === undefined || this.plan === undefined || this.journal === undefined) return;
    const { journal } = this;
    await saveReport(this.plan, report, this.tools.store, journal.warn);
    if (!final)
      journal.warn(`Attempt ${report.attempt} ended as ${report.outcome.kind}; the job is tried again.`);
    await journal.flush();
    if (final) journal.emit({ type: "report", report });
  }

  async #release(remove: boolean): Promise<void> {
    const { lease } = this;
    this.lease = undefined;
    await this.journal?.flush();
    if (lease !== undefined) await lease.release({ remove });
  }

  /** Nothing of ours goes on: another helper need not wait for the lease to run out. */
  async #giveBack(): Promise<void> {
    if (this.lease?.lost.aborted === false) await this.#release(false);
  }

  #hasMore(): boolean {
    return this.#events.length > 0 || !this.#isOver() || !this.#effects.idle;
  }

  /** Nothing more comes of itself. */
  #isOver(): boolean {
    const state = this.#state;
    if (state.phase === "queued" || state.phase === "adrift") return !state.asked;
    return state.phase === "kept" || "left" in state;
  }

  #end(): DriverEnd {
    const { phase } = this.#state;
    if (this.#gone.signal.aborted) return "not-ours";
    if (phase === "queued") return this.#leaving ? "handed-over" : "retry";
    if (phase === "adrift") return this.#leaving ? "handed-over" : "not-ours";
    return "ended";
  }
}

const notAsked = async (): Promise<never> => await Promise.reject(new Error("a journal only adds to a run"));

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => {
      resolve();
    });
  });

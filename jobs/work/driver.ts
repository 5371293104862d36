import type { RunEvent } from "../../schema/events.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import { parseDuration } from "../../schema/quantity.ts";
import type { RunReport } from "../../schema/report.ts";
import type { LedgerRun, RunPatch, Wish } from "../ledger/index.ts";
import type { Journal } from "../run/journal.ts";
import { type Effect, type MachineEvent, type RunState, reduce, type Step } from "../run/machine.ts";
import type { AttemptState } from "../run/phases.ts";
import type { Removal } from "../run/removal.ts";
import { steadyClock } from "../watch/clock.ts";
import type { ObservedRun } from "../watch/index.ts";
import { announce, openJournal, seenBefore } from "./attempt-journal.ts";
import { Deadlines } from "./deadlines.ts";
import { Effects } from "./effects.ts";
import { Inbox } from "./inbox.ts";
import { deliverReport, reportOf } from "./record.ts";
import { isChanged, Row } from "./row.ts";
import { stateOf } from "./state.ts";
import { streamOf } from "./streams.ts";
import { isOver, rowChange, toldOutcome } from "./transition.ts";
import type { Driven, DriverEnd, DriverTools, HeldLease } from "./types.ts";
import { Wishes } from "./wishes.ts";

/** What a run that is handed over gets to stop and to be written: Pulumi's interrupts are among it (jobs/engine/command.ts). */
const LEAVE_MS = 45_000;

/**
 * Brings one run to its end: each event goes through the machine, the new state into the ledger, then its effects are done in order.
 * Long ones go on beside it, and answer with an event.
 */
export class Driver implements Driven {
  readonly run: LedgerRun;
  readonly tools: DriverTools;
  readonly startedAt: Date;
  readonly clock = steadyClock();
  /** Settles when this helper has nothing more to do with the run. */
  readonly done: Promise<DriverEnd>;
  plan: Plan | undefined;
  spec: JobSpec | undefined;
  lease: HeldLease | undefined;
  journal: Journal | undefined;
  observed: ObservedRun | undefined;
  /** Aborted when the run is not ours any more. */
  readonly #gone = new AbortController();
  readonly #row: Row;
  readonly #effects: Effects;
  readonly #deadlines: Deadlines;
  readonly #wishes: Wishes;
  readonly #inbox = new Inbox();
  readonly send = this.#inbox.send;
  #state: RunState;
  #report: RunReport | undefined;
  #leaving = false;

  /** @throws UserError `run-unreadable` */
  constructor(run: LedgerRun, tools: DriverTools) {
    this.run = run;
    this.tools = tools;
    this.plan = run.plan;
    this.spec = run.spec;
    this.startedAt = new Date(run.startedAt ?? run.submittedAt);
    this.#state = stateOf(run);
    const foreground = tools.purpose?.kind === "foreground";
    this.#row = new Row(tools.ledger, run, this.#gone.signal, foreground ? "go-on" : "wait");
    this.#effects = new Effects(this);
    this.#wishes = new Wishes(this, this.#effects.beside);
    const limit = parseDuration(run.spec?.deadline ?? "") ?? run.plan?.deadlines.run;
    this.#deadlines = new Deadlines(limit, this.startedAt, (name, limitSeconds) => {
      const fence = this.lease?.fence ?? 0;
      this.send({ type: "deadline", name, limitSeconds, fence });
    });
    this.done = this.#work();
  }

  get state(): RunState {
    return this.#state;
  }

  /** The report of the attempt that ended last. */
  get report(): RunReport | undefined {
    return this.#report;
  }

  /** What became of the removal, once there was one. */
  get removal(): Removal | undefined {
    return this.#effects.removal;
  }

  get wish(): Wish | undefined {
    return this.#wishes.wish;
  }

  /** A stream that was seen at work, and of which nothing is asked: nothing is to come of it by itself. */
  get resting(): boolean {
    const { phase } = this.#state;
    const works = phase === "running" && this.#effects.working && streamOf(this.plan) !== undefined;
    return works && this.wish === undefined && this.#inbox.empty;
  }

  /** Why the run could not begin, once its state is `refused`. */
  async refusal(): Promise<unknown> {
    return await this.#effects.refusal();
  }

  /** Asking again changes nothing. */
  readonly cancel = (): void => {
    if (!this.#state.facts.cancelRequested) this.send({ type: "cancelRequested" });
  };

  /** Asks something of a stream; the same again changes nothing. */
  readonly heed = (wish: Wish): void => {
    this.#wishes.take(wish);
  };

  /** Stops working on it in an orderly way, so that another helper goes on. */
  readonly handOver = async (): Promise<DriverEnd> => {
    this.#leaving = true;
    if (this.lease === undefined) this.#effects.stopAcquiring();
    else this.send({ type: "leaseLost", fence: this.lease.fence });
    // A ledger that is away can't be told: whoever comes next finds the run by its free lease.
    const leave = setTimeout(() => {
      this.#gone.abort();
    }, LEAVE_MS);
    return await this.done.finally(() => {
      clearTimeout(leave);
    });
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
    else this.tell({ type: "warning", at: new Date(this.clock()).toISOString(), run: this.run.run, message });
  };

  readonly adopt = async (plan: Plan): Promise<void> => {
    await announce(this, plan, this.#openJournal(plan));
  };

  readonly become = async (plan: Plan, spec?: JobSpec): Promise<void> => {
    await this.patch(spec === undefined ? { plan } : { plan, spec });
    this.plan = plan;
    if (spec !== undefined) this.spec = spec;
  };

  #openJournal(plan: Plan, seen?: AttemptState): Journal {
    this.plan = plan;
    this.observed = undefined;
    this.#report = undefined;
    this.journal = openJournal(this, this.#row.append, plan, seen);
    return this.journal;
  }

  async #work(): Promise<DriverEnd> {
    try {
      await this.#begin();
      while (!this.#gone.signal.aborted && this.#hasMore()) {
        const event = this.#inbox.next();
        // A task that ends without an answer is news too: there may be nothing more to wait for.
        if (event === undefined) await this.#inbox.news(this.#gone.signal, this.#effects.settled());
        else await this.#handle(event);
      }
    } catch (error) {
      if (!isChanged(error)) throw error;
    } finally {
      this.#deadlines.clear();
      this.#wishes.clear();
      await this.#effects.end();
      // Also after an error: a lease that nobody works under, and that is renewed all the same, would keep everybody from the run.
      await this.#giveBack();
    }
    return this.#end();
  }

  /** Where the run is found: fresh, or left by a helper that died, of which the lease will tell. */
  async #begin(): Promise<void> {
    const { plan, tools } = this;
    const { phase, facts } = this.#state;
    const waits = phase === "queued" || phase === "new";
    if (tools.purpose?.kind === "foreground") {
      if (plan === undefined) throw new Error("a foreground run is planned before it is recorded");
      await this.adopt(plan);
      this.#effects.beginAhead(plan);
    } else {
      // The plan of one that waits is of the attempt before, but for a foreground run, which never was in the queue.
      if (plan !== undefined && (!waits || facts.mode.kind === "foreground"))
        this.#openJournal(plan, await seenBefore(this, plan));
      // It says by itself whether that changes anything.
      this.send({ type: "helperRestarted" });
    }
    if (tools.purpose?.kind === "removal") this.send({ type: "removalRequested" });
    else if (waits) this.send({ type: "claimed" });
    if (this.run.cancelRequestedAt !== undefined) this.cancel();
    if (this.run.wish !== undefined) this.heed(this.run.wish);
    this.#deadlines.begin();
  }

  async #handle(event: MachineEvent): Promise<void> {
    const before = this.#state;
    const step = reduce(before, event);
    if (step.state === before && step.effects.length === 0) return;
    this.#state = step.state;
    this.#decide(step, event);
    await this.#write(step);
    this.#deadlines.follow(before, step.state);
    for (const effect of step.effects) await this.#do(effect);
    this.#wishes.follow(step.state);
    if (isOver(this.#state)) this.#effects.stopAcquiring();
  }

  #decide(step: Step, event: MachineEvent): void {
    const outcome = toldOutcome(step, event);
    if (outcome === undefined) return;
    if (this.journal !== undefined) this.journal.decide(outcome);
    else if (step.effects.some(({ type }) => type === "report"))
      this.tell({ type: "outcome", at: new Date(this.clock()).toISOString(), run: this.run.run, outcome });
  }

  async #write(step: Step): Promise<void> {
    const { state, effects } = step;
    if (effects.some(({ type }) => type === "report")) this.#report = await reportOf(this, state);
    await this.#wishes.close(state);
    await this.patch(
      rowChange(step, {
        holder: this.tools.holder,
        leaving: this.#leaving,
        now: this.clock(),
        endedAt: this.run.endedAt,
        report: this.#report,
      }),
    );
  }

  async #do(effect: Effect): Promise<void> {
    switch (effect.type) {
      case "report":
        await deliverReport(this, this.#report, effect.final);
        break;
      case "releaseLease":
        await this.#release(effect.remove);
        break;
      case "scheduleRetry":
        await this.#retry(effect);
        break;
      case "forget":
        await this.journal?.flush();
        await this.#row.forget();
        break;
      case "stop":
        await this.#effects.stop();
        break;
      case "notSuspended":
        await this.#wishes.notSuspended(effect.trigger, effect.message);
        break;
      case "acquireLease":
        this.#effects.acquire(effect.knownFence);
        break;
      case "plan":
      case "createStack":
      case "up":
      case "watch":
      case "suspend":
      case "recover":
      case "saveLogs":
      case "destroy":
      case "removeStack":
        this.#effects.begin(effect);
        break;
    }
  }

  /** The next attempt: after a while here, or by whoever takes it from the queue. */
  async #retry({ attempt, afterMs }: Extract<Effect, { type: "scheduleRetry" }>): Promise<void> {
    const kind = this.#state.facts.failed.at(-1) ?? "lost";
    const after = Math.ceil(afterMs / 1000);
    this.warn(`Attempt ${attempt - 1} ended as ${kind}; the job is tried again in ${after} s.`);
    await this.journal?.flush();
    if (this.#state.phase === "waiting") {
      this.#effects.wait(attempt, afterMs);
      return;
    }
    const notBefore = new Date(Date.now() + afterMs).toISOString();
    await this.patch({ state: "queued", notBefore, holder: undefined });
  }

  async #release(remove: boolean): Promise<void> {
    const { lease } = this;
    this.lease = undefined;
    await this.journal?.flush();
    if (this.tools.purpose?.kind === "foreground")
      await this.#row.settle().catch((error: unknown) => {
        if (!isChanged(error)) this.warn("The run's end could not be recorded.");
      });
    if (lease !== undefined) await lease.release({ remove });
  }

  /** Nothing of ours goes on: another helper need not wait for the lease to run out, and a run that it has ended keeps none. */
  async #giveBack(): Promise<void> {
    const { lease } = this;
    if (lease?.lost.aborted === false) await this.#release(this.#gone.signal.aborted && lease.remade);
  }

  #hasMore(): boolean {
    return !this.#inbox.empty || !isOver(this.#state) || !this.#effects.idle;
  }

  #end(): DriverEnd {
    const { phase } = this.#state;
    if (this.#gone.signal.aborted) return "not-ours";
    if (phase === "queued") return this.#leaving ? "handed-over" : "retry";
    if (phase === "adrift") return this.#leaving ? "handed-over" : "not-ours";
    return "ended";
  }
}

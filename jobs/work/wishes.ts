import { randomUUID } from "node:crypto";
import type { FlinkPlan } from "../../schema/plan.ts";
import { parseDuration } from "../../schema/quantity.ts";
import type { Wish } from "../ledger/index.ts";
import type { RunState } from "../run/machine.ts";
import { LONGEST_MS } from "./deadlines.ts";
import type { Hand } from "./hands.ts";
import { streamSpec } from "./streams.ts";
import type { Driven } from "./types.ts";

/** Until something that can't be done now is tried again. */
const LATER_MS = 10_000;

/** Works on a running stream beside all else, until it is stopped. */
type Beside = (work: (hand: Hand, plan: FlinkPlan) => Promise<void>) => void;

/** What a running stream is asked for, by people and by the clock. It is done when the stream runs, and each wish is answered once. */
export class Wishes {
  readonly #driver: Driven;
  readonly #beside: Beside;
  #wish: Wish | undefined;
  #answered: string | undefined;
  #running = false;
  /** A wish is being carried out that changes no phase. */
  #busy = false;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(driver: Driven, beside: Beside) {
    this.#driver = driver;
    this.#beside = beside;
  }

  /** What is asked and not answered yet. */
  get wish(): Wish | undefined {
    return this.#wish;
  }

  /** Taking the same one again changes nothing. */
  readonly take = (wish: Wish): void => {
    if (wish.id === this.#wish?.id || wish.id === this.#answered) return;
    this.#wish = wish;
    this.#hurry(wish);
    this.#next();
  };

  /** Whoever is content with a checkpoint does not wait for the savepoint that was asked for before. */
  #hurry(wish: Wish): void {
    const { state } = this.#driver;
    if (wish.kind !== "suspend" || wish.lastState === undefined || state.phase !== "suspending") return;
    const message = "The savepoint is waited for no longer: a checkpoint is to do.";
    this.#driver.send({ type: "failed", step: "suspend", message, fence: state.lease });
  }

  /** To be told of each state, once its effects are begun. */
  follow(state: RunState): void {
    const running = state.phase === "running";
    const begins = running && !this.#running;
    this.#running = running;
    if (!running) this.clear();
    if (begins) this.#begin(state);
    this.#next();
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Says that the stream could not be suspended. */
  async notSuspended(trigger: string, message: string): Promise<void> {
    if (this.#wish?.id === trigger) await this.#answer(this.#wish, false, message);
    else this.#driver.warn(message);
  }

  /** The run has ended: what was asked is done by that, or never. To be called before the state is written, which ends the wait of whoever asked. */
  async close(state: RunState): Promise<void> {
    const wish = this.#wish;
    if (wish === undefined || !("left" in state)) return;
    const { outcome } = state;
    const done = wish.kind === "suspend" && outcome.kind === "suspended";
    const message = "message" in outcome ? outcome.message : "It ended by itself.";
    if (done) this.#tell(wish, true, message, outcome.savepoint);
    else this.#tell(wish, false, `The run ended before that as ${outcome.kind}: ${message}`);
    await this.#driver.journal?.flush();
    this.#wish = undefined;
  }

  #next(): void {
    const wish = this.#wish;
    if (!this.#running || wish === undefined || this.#busy) return;
    if (wish.kind === "suspend") {
      this.#driver.send({ type: "suspendRequested", trigger: wish.id });
      return;
    }
    this.#busy = true;
    this.#beside(async (hand, plan) => {
      try {
        await this.#carryOut(wish, hand, plan);
      } catch (error) {
        // Stopped: whoever works on the run next does it.
        if (hand.signal.aborted) return;
        await this.#answer(wish, false, text(error));
      } finally {
        this.#busy = false;
      }
    });
  }

  async #carryOut(wish: Exclude<Wish, { kind: "suspend" }>, hand: Hand, plan: FlinkPlan): Promise<void> {
    const { rescale, savepoint } = await import("./stream-hands.ts");
    if (wish.kind === "savepoint") {
      const location = await savepoint(hand, plan, wish, "asked");
      await this.#answer(wish, true, `The stream's state is saved at ${location}; it goes on.`, location);
      return;
    }
    const spec = streamSpec(this.#driver.spec);
    if (spec === undefined) throw new Error("the ledger has no spec of it");
    const now = await rescale(hand, plan, spec, wish);
    await this.#driver.become(now.plan, now.spec);
    const { taskManagers, parallelism } = wish;
    const pods = `${taskManagers} ${taskManagers === 1 ? "TaskManager" : "TaskManagers"}`;
    await this.#answer(wish, true, `The stream runs on ${pods} with a parallelism of ${parallelism}.`);
  }

  async #answer(wish: Wish, ok: boolean, message: string, savepoint?: string): Promise<void> {
    this.#tell(wish, ok, message, savepoint);
    await this.#driver.journal?.flush();
    await this.#driver.patch({ wish: undefined });
    this.#wish = undefined;
  }

  #tell({ id, kind }: Wish, ok: boolean, message: string, savepoint?: string): void {
    this.#answered = id;
    this.#driver.journal?.emit({
      type: "answer",
      wish: id,
      kind,
      ok,
      message,
      ...(savepoint === undefined ? {} : { savepoint }),
    });
  }

  /** The stream runs, from now on or again. */
  #begin({ facts }: RunState): void {
    const spec = streamSpec(this.#driver.spec);
    if (spec === undefined) return;
    const steady = parseDuration(spec.retries.steady);
    if (steady !== undefined && facts.failed.length > 0)
      this.#after(steady * 1000, () => {
        this.#driver.send({ type: "steady", fence: facts.fence });
      });
    const every = parseDuration(spec.savepoints.every ?? "");
    if (every === undefined) return;
    const begun = this.#driver.clock();
    this.#beside(async ({ tools, plan: { run } }) => {
      const [newest] = await tools.ledger.savepoints({ run }).catch(() => []);
      const last = newest === undefined ? begun : Date.parse(newest.at);
      this.#savePeriodically(
        every * 1000,
        Math.max(0, last + every * 1000 - this.#driver.clock()),
        spec.savepoints.keep,
      );
    });
  }

  #savePeriodically(everyMs: number, afterMs: number, keep: number): void {
    this.#after(afterMs, () => {
      if (this.#busy || this.#wish !== undefined) {
        this.#savePeriodically(everyMs, LATER_MS, keep);
        return;
      }
      this.#beside(async (hand, plan) => {
        try {
          const { savepoint } = await import("./stream-hands.ts");
          const { keepNewest } = await import("./stream-state.ts");
          await savepoint(hand, plan, { id: randomUUID(), at: hand.journal.now().toISOString() }, "periodic");
          await keepNewest(this.#driver, plan, keep);
        } catch (error) {
          if (hand.signal.aborted) return;
          hand.journal.warn(`No savepoint could be made: ${text(error)}`);
        }
        if (!hand.signal.aborted) this.#savePeriodically(everyMs, everyMs, keep);
      });
    });
  }

  #after(ms: number, then: () => void): void {
    // Not beyond what a timer can: for so long a stream's helper is not the same.
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (this.#running) then();
      },
      Math.min(ms, LONGEST_MS),
    );
    this.#timers.add(timer);
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));

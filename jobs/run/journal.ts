import type { RunEvent } from "../../schema/events.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Phase } from "../../schema/report.ts";
import {
  type AttemptState,
  type AttemptStep,
  currentPhase,
  type Milestone,
  NEW_ATTEMPT,
  reduceAttempt,
} from "./phases.ts";
import type { RunRecord, RunRecords } from "./records.ts";

type Bare<T> = T extends RunEvent ? Omit<T, "at" | "run"> : never;
/** An event without what the journal adds. */
export type BareEvent = Bare<RunEvent>;

/** Where an attempt's state lives: applies the rules of phases.ts, tells the listener, and keeps the record up to date. */
export class Journal {
  readonly #records: RunRecords;
  readonly #listener: (event: RunEvent) => void;
  #record: RunRecord;
  #state: AttemptState = NEW_ATTEMPT;
  #written: Promise<void> = Promise.resolve();
  #unwritten: RunEvent[] = [];
  #writable = true;

  constructor(records: RunRecords, record: RunRecord, listener: (event: RunEvent) => void) {
    this.#records = records;
    this.#record = record;
    this.#listener = listener;
  }

  get state(): AttemptState {
    return this.#state;
  }

  get record(): RunRecord {
    return this.#record;
  }

  readonly emit = (event: BareEvent, at = new Date()): void => {
    this.pass({ ...event, at: at.toISOString(), run: this.#record.plan.run });
  };

  /** Hands a whole event on, and records it. Log lines are the store's, and a report is part of the record. */
  readonly pass = (event: RunEvent): void => {
    this.#listener(event);
    if (event.type === "log" || event.type === "report") return;
    this.#unwritten.push(event);
    this.#write(async () => {
      await this.#writeEvents();
    });
  };

  readonly warn = (message: string): void => {
    this.emit({ type: "warning", message });
  };

  readonly enter = (phase: Phase, at = new Date()): void => {
    if (!this.#apply({ type: "entered", phase, at })) return;
    const elapsedSeconds = (at.getTime() - Date.parse(this.#record.startedAt)) / 1000;
    this.emit({ type: "phase", attempt: this.#record.plan.attempt, phase, elapsedSeconds }, at);
    this.update({ phase: currentPhase(this.#state) });
  };

  readonly reach = (milestone: Milestone, at = new Date()): void => {
    this.#apply({ type: "reached", milestone, at });
  };

  readonly decide = (outcome: Outcome): void => {
    const at = new Date();
    if (!this.#apply({ type: "decided", outcome, at })) return;
    this.emit({ type: "outcome", outcome }, at);
    this.update({ outcome });
  };

  readonly saved = (log: string): void => {
    this.#apply({ type: "saved", log });
  };

  readonly left = (objects: readonly string[]): void => {
    this.#apply({ type: "left", objects });
    this.update({ left: [...objects] });
  };

  /** Changes the record; written in order, in the background. */
  readonly update = (change: Partial<RunRecord>): void => {
    this.#record = { ...this.#record, ...change };
    const record = this.#record;
    this.#write(async () => {
      await this.#records.put(record);
    });
  };

  /** Settles when all is written, as far as it can be. */
  readonly flush = async (): Promise<void> => {
    await this.#written;
  };

  /** One thing after the other. What can't be written is told once, to the listener alone: it can't be recorded either. */
  #write(write: () => Promise<void>): void {
    this.#written = this.#written.then(write).then(
      () => {
        this.#writable = true;
      },
      (error: unknown) => {
        if (!this.#writable) return;
        this.#writable = false;
        const reason = error instanceof Error ? error.message : String(error);
        const message = `The run could not be recorded: ${reason}`;
        const { run } = this.#record.plan;
        this.#listener({ type: "warning", at: new Date().toISOString(), run, message });
      },
    );
  }

  /** All that came up since the last time at once; what fails is tried again with the next. */
  async #writeEvents(): Promise<void> {
    const events = this.#unwritten;
    if (events.length === 0) return;
    this.#unwritten = [];
    try {
      await this.#records.append(this.#record.plan.run, events);
    } catch (error) {
      this.#unwritten = [...events, ...this.#unwritten];
      throw error;
    }
  }

  #apply(step: AttemptStep): boolean {
    const before = this.#state;
    this.#state = reduceAttempt(before, step);
    return this.#state !== before;
  }
}

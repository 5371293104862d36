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

  /** Hands a whole event on. */
  readonly pass = (event: RunEvent): void => {
    this.#listener(event);
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
    this.#written = this.#written
      .then(async () => {
        await this.#records.put(record);
      })
      .catch((error: unknown) => {
        this.warn(`The run's record could not be written: ${String(error)}`);
      });
  };

  /** Settles when the record is on disk. */
  readonly flush = async (): Promise<void> => {
    await this.#written;
  };

  #apply(step: AttemptStep): boolean {
    const before = this.#state;
    this.#state = reduceAttempt(before, step);
    return this.#state !== before;
  }
}

import type { RunEvent } from "../../schema/events.ts";
import type { Outcome } from "../../schema/outcome.ts";
import type { Phase } from "../../schema/report.ts";
import { type AttemptState, type AttemptStep, type Milestone, NEW_ATTEMPT, reduceAttempt } from "./phases.ts";

type Bare<T> = T extends RunEvent ? Omit<T, "at" | "run"> : never;
/** An event without what the journal adds. */
export type BareEvent = Bare<RunEvent>;

/** Which attempt a journal is of. */
export interface JournalSubject {
  readonly run: string;
  readonly attempt: number;
  /** When the run was submitted. */
  readonly submittedAt: Date;
}

/** Where its facts go. */
export interface JournalSink {
  readonly listener: (event: RunEvent) => void;
  /** Into the ledger, as the two after it. */
  readonly append: (events: readonly RunEvent[]) => Promise<void>;
  readonly phase: (phase: Phase) => Promise<void>;
  /** Milliseconds since 1970 that never go back: durations are differences of it. */
  readonly clock: () => number;
}

/** Where an attempt's state lives: applies the rules of phases.ts, tells the listener, and records events in the ledger. */
export class Journal {
  readonly #subject: JournalSubject;
  readonly #sink: JournalSink;
  #state: AttemptState;
  #written: Promise<void> = Promise.resolve();
  #unwritten: RunEvent[] = [];
  #writable = true;

  /** @param state What another helper has seen of the attempt. */
  constructor(subject: JournalSubject, sink: JournalSink, state: AttemptState = NEW_ATTEMPT) {
    this.#subject = subject;
    this.#sink = sink;
    this.#state = state;
  }

  get state(): AttemptState {
    return this.#state;
  }

  /** What the time is, by the attempt's own clock. */
  readonly now = (): Date => new Date(this.#sink.clock());

  readonly emit = (event: BareEvent, at = this.now()): void => {
    this.pass({ ...event, at: at.toISOString(), run: this.#subject.run });
  };

  /** Hands a whole event on, and records it. Log lines are the store's, and a report is part of the run's row. */
  readonly pass = (event: RunEvent): void => {
    this.#sink.listener(event);
    if (event.type === "log" || event.type === "report") return;
    this.#unwritten.push(event);
    this.#write(async () => {
      await this.#writeEvents();
    });
  };

  readonly warn = (message: string): void => {
    this.emit({ type: "warning", message });
  };

  readonly enter = (phase: Phase): void => {
    const at = this.now();
    if (!this.#apply({ type: "entered", phase, at })) return;
    const { attempt, submittedAt } = this.#subject;
    const elapsedSeconds = Math.max(0, (at.getTime() - submittedAt.getTime()) / 1000);
    this.emit({ type: "phase", attempt, phase, elapsedSeconds }, at);
    this.#write(async () => {
      await this.#sink.phase(phase);
    });
  };

  readonly reach = (milestone: Milestone): void => {
    this.#apply({ type: "reached", milestone, at: this.now() });
  };

  readonly decide = (outcome: Outcome): void => {
    const at = this.now();
    if (this.#apply({ type: "decided", outcome, at })) this.emit({ type: "outcome", outcome }, at);
  };

  readonly saved = (log: string): void => {
    this.#apply({ type: "saved", log });
  };

  readonly left = (objects: readonly string[]): void => {
    this.#apply({ type: "left", objects });
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
        const { run } = this.#subject;
        this.#sink.listener({ type: "warning", at: this.now().toISOString(), run, message });
      },
    );
  }

  /** All that came up since the last time at once; what fails is tried again with the next. */
  async #writeEvents(): Promise<void> {
    const events = this.#unwritten;
    if (events.length === 0) return;
    this.#unwritten = [];
    try {
      await this.#sink.append(events);
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

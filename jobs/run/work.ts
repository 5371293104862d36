import type { Outcome } from "../../schema/outcome.ts";
import type { Plan } from "../../schema/plan.ts";
import { type EngineEvent, EngineFailure, type ProcessEngine } from "../engine/index.ts";
import { lastDriverLines } from "../report/build.ts";
import type { ObservedRun, WatchSink } from "../watch/index.ts";
import type { RunCluster } from "./cluster.ts";
import type { Journal } from "./journal.ts";
import { outcomeOfFailedUp } from "./verdict.ts";

/** What the middle of an attempt works with. */
export interface WorkTools {
  readonly engine: Pick<ProcessEngine, "up" | "rest" | "wake">;
  readonly cluster: Pick<RunCluster, "watch" | "deliverSecrets">;
  readonly journal: Journal;
  /** Aborting cancels. */
  readonly signal: AbortSignal;
  readonly follow: boolean;
  /** Whether the policy pack judges what is made. */
  readonly policy: boolean;
  /** When the run, not the attempt, was submitted. */
  readonly submittedAt: Date;
}

/** A verdict may come while `up` still waits for something; it gets this long to end by itself. */
const UP_GRACE_MS = 3000;
/** Most jobs that run longer than this run much longer: the engine's process rests meanwhile. */
const REST_AFTER_MS = 60_000;

const NAMESPACE = "kubernetes:core/v1:Namespace";

/** What was seen while the cluster was there. */
export interface Worked {
  readonly observed: ObservedRun | undefined;
  /** Whether anything was made that may have logs. */
  readonly namespaceMade: boolean;
}

/**
 * Makes the cluster and watches it, side by side, until there is a verdict and the engine is idle again. The verdict is in the
 * journal.
 */
export const makeAndWatch = (plan: Plan, tools: WorkTools): Promise<Worked> => new Work(plan, tools).done();

class Work {
  readonly #plan: Plan;
  readonly #tools: WorkTools;
  readonly #endUp = new AbortController();
  readonly #endWatch = new AbortController();
  readonly #delivered: Promise<void>[] = [];
  #namespaceMade = false;

  constructor(plan: Plan, tools: WorkTools) {
    this.#plan = plan;
    this.#tools = tools;
  }

  async done(): Promise<Worked> {
    const { journal, signal } = this.#tools;
    signal.addEventListener("abort", this.#cancel, { once: true });
    if (signal.aborted) this.#cancel();
    journal.enter("creating");
    const [observed] = await Promise.all([this.#watch(), this.#make()]);
    this.#endWatch.abort();
    await Promise.all(this.#delivered);
    signal.removeEventListener("abort", this.#cancel);
    journal.decide({ kind: "lost", message: "The watch ended without a verdict." });
    return { observed, namespaceMade: this.#namespaceMade };
  }

  async #make(): Promise<void> {
    const { engine, journal, policy } = this.#tools;
    try {
      await engine.up(this.#plan, { signal: this.#endUp.signal, onEvent: this.#onEvent, policy });
    } catch (error) {
      if (error instanceof EngineFailure) journal.decide(outcomeOfFailedUp(error.error));
      else this.#fail("The cluster could not be made", error);
      this.#endWatch.abort();
    }
  }

  async #watch(): Promise<ObservedRun | undefined> {
    const { engine, cluster, journal, submittedAt } = this.#tools;
    const rest = setTimeout(engine.rest, REST_AFTER_MS);
    try {
      const options = { startedAt: submittedAt, signal: this.#endWatch.signal, sink: watchSink(this.#tools) };
      const { outcome, observed } = await cluster.watch(this.#plan, options);
      if (outcome !== undefined) {
        this.#showLastLines(outcome, observed);
        journal.decide(outcome);
      }
      return observed;
    } catch (error) {
      this.#fail("The run could not be watched", error);
      return undefined;
    } finally {
      clearTimeout(rest);
      engine.wake();
      // What `up` still waits for does not matter any more.
      setTimeout(() => {
        this.#endUp.abort();
      }, UP_GRACE_MS).unref();
    }
  }

  /** Who did not follow the driver's log sees its end where the run failed. */
  #showLastLines(outcome: Outcome, observed: ObservedRun): void {
    const { journal, follow } = this.#tools;
    if (follow || outcome.kind === "succeeded") return;
    const { name, driver } = this.#plan.coordinator;
    for (const line of lastDriverLines(observed)) {
      journal.emit({ type: "log", source: `${name}/${driver.name}`, line });
    }
  }

  readonly #onEvent = (event: EngineEvent): void => {
    const { journal } = this.#tools;
    noteEngineEvent(event, journal);
    if (event.type === "summary") journal.reach("objectsExist");
    if (event.type !== "done" || event.kind !== NAMESPACE) return;
    this.#namespaceMade = true;
    if (this.#plan.secrets.length > 0) this.#delivered.push(this.#deliver());
  };

  async #deliver(): Promise<void> {
    try {
      await this.#tools.cluster.deliverSecrets(this.#plan, this.#endWatch.signal);
    } catch (error) {
      if (!this.#endWatch.signal.aborted) this.#fail("The job's secrets could not be delivered", error);
    }
  }

  readonly #cancel = (): void => {
    this.#tools.journal.decide({ kind: "cancelled", message: "The run was cancelled." });
    this.#stop();
  };

  #fail(what: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#tools.journal.decide({ kind: "infrastructure", message: `${what}: ${reason}` });
    this.#stop();
  }

  #stop(): void {
    this.#endUp.abort();
    this.#endWatch.abort();
  }
}

/** What people see of the engine's events. */
export function noteEngineEvent(event: EngineEvent, journal: Journal): void {
  if (event.type === "done" || event.type === "failed") {
    const operation = event.type === "failed" ? `${event.operation} failed` : event.operation;
    journal.emit({ type: "resource", operation, kind: event.kind, name: event.name });
  }
  if (event.type === "diagnostic" && event.severity === "warning") {
    const about = event.resource === undefined ? "" : `${event.resource.name}: `;
    journal.warn(about + event.message);
  }
  if (event.type === "policy") {
    const about = event.resource === undefined ? "" : `${event.resource.name}: `;
    journal.warn(`${about}rule ${event.policy}: ${event.message.replaceAll(/\s*\n\s*/g, " ")}`);
  }
}

function watchSink({ journal, follow }: WorkTools): WatchSink {
  return {
    phase: (phase, at) => {
      journal.enter(phase, at);
      if (phase === "running") journal.reach("driverStarted", at);
    },
    pod: (pod, role, state) => {
      journal.emit({ type: "pod", pod, role, state });
    },
    warning: journal.warn,
    ...(follow
      ? {
          log: (source: string, line: string): void => {
            journal.emit({ type: "log", source, line });
          },
        }
      : {}),
  };
}

import type { Plan } from "../../schema/plan.ts";
import { EngineFailure, type EngineEvent, type ProcessEngine } from "../engine/index.ts";
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
export async function makeAndWatch(plan: Plan, tools: WorkTools): Promise<Worked> {
  const { engine, cluster, journal, signal } = tools;
  const endUp = new AbortController();
  const endWatch = new AbortController();
  const cancel = (): void => {
    journal.decide({ kind: "cancelled", message: "The run was cancelled." });
    endUp.abort();
    endWatch.abort();
  };
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();

  const infrastructure = (what: string) => (error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    journal.decide({ kind: "infrastructure", message: `${what}: ${reason}` });
    endUp.abort();
    endWatch.abort();
  };
  const deliver = async (): Promise<void> => {
    await cluster
      .deliverSecrets(plan, endWatch.signal)
      .catch(infrastructure("The job's secrets could not be delivered"));
  };

  journal.enter("creating");
  let namespaceMade = false;
  const delivered: Promise<void>[] = [];
  const onEvent = (event: EngineEvent): void => {
    noteEngineEvent(event, journal);
    if (event.type === "summary") journal.reach("objectsExist");
    if (event.type !== "done" || event.kind !== NAMESPACE) return;
    namespaceMade = true;
    if (plan.secrets.length > 0) delivered.push(deliver());
  };
  const making = engine.up(plan, { signal: endUp.signal, onEvent }).catch((error: unknown) => {
    if (error instanceof EngineFailure) journal.decide(outcomeOfFailedUp(error.error));
    else infrastructure("The cluster could not be made")(error);
    endWatch.abort();
  });

  let observed: ObservedRun | undefined;
  let grace: NodeJS.Timeout | undefined;
  const rest = setTimeout(engine.rest, REST_AFTER_MS);
  const watching = cluster
    .watch(plan, { startedAt: tools.submittedAt, signal: endWatch.signal, sink: watchSink(tools) })
    .then((result) => {
      observed = result.observed;
      if (result.outcome !== undefined) journal.decide(result.outcome);
      clearTimeout(rest);
      engine.wake();
      grace = setTimeout(() => {
        endUp.abort();
      }, UP_GRACE_MS);
    })
    .catch(infrastructure("The run could not be watched"));

  await Promise.all([making, watching]);
  clearTimeout(grace);
  clearTimeout(rest);
  endWatch.abort();
  await Promise.all(delivered);
  signal.removeEventListener("abort", cancel);
  journal.decide({ kind: "lost", message: "The watch ended without a verdict." });
  return { observed, namespaceMade };
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

import type { Outcome } from "../../schema/outcome.ts";
import type { ObservedRun } from "../watch/index.ts";
import { leftOf } from "./deadlines.ts";
import type { Hand } from "./hands.ts";
import { infrastructure } from "./outcomes.ts";

/** Most jobs that run longer than this run much longer: the engine's process rests meanwhile. */
const REST_AFTER_MS = 60_000;

export interface Watched {
  /** Undefined where the watch was stopped before. */
  readonly outcome: Outcome | undefined;
  readonly observed: ObservedRun | undefined;
}

/**
 * Watches the attempt's pods until there is a verdict. `onSign` is told of the driver's first sign of life.
 * @param fresh Whether the cluster is new; else it was found at work.
 */
export async function watchPods(hand: Hand, fresh: boolean, onSign: () => void): Promise<Watched> {
  const { plan, tools, journal, signal, clock, startedAt } = hand;
  const follow = tools.purpose?.kind === "foreground" && tools.purpose.follow;
  const limitMs = plan.deadlines.run === undefined ? undefined : plan.deadlines.run * 1000;
  const rest = setTimeout(tools.engine.rest, REST_AFTER_MS);
  try {
    return await tools.cluster.watch(plan, {
      // By this helper's clock, whatever the one was by which the run began.
      startedAt:
        limitMs === undefined ? startedAt : new Date(clock() - limitMs + leftOf(limitMs, startedAt, clock())),
      clock,
      signal,
      underWay: !fresh,
      sink: {
        phase: (phase) => {
          if (phase === "running") onSign();
          else journal.enter(phase);
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
      },
    });
  } catch (error) {
    return { outcome: infrastructure("The run could not be watched", error), observed: undefined };
  } finally {
    clearTimeout(rest);
    tools.engine.wake();
  }
}

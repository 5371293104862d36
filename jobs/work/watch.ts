import type { Outcome } from "../../schema/outcome.ts";
import { lastDriverLines } from "../report/build.ts";
import type { Hand } from "./hands.ts";
import { infrastructure } from "./outcomes.ts";
import { type Watched, watchPods } from "./pods.ts";
import { streamOf } from "./streams.ts";

const ENDED: Outcome = { kind: "lost", message: "The watch ended without a verdict." };

/**
 * Watches until there is a verdict. `onWorks` is told when the job does its work: at the driver's first sign of life, or when all of a
 * stream's tasks run.
 * @param fresh Whether the attempt is new, and has still to come so far.
 */
export async function watch(
  hand: Hand,
  fresh: boolean,
  onWorks: () => void,
): Promise<Watched & { readonly outcome: Outcome }> {
  const { plan, tools, journal } = hand;
  const works = (): void => {
    journal.enter("running");
    journal.reach("driverStarted");
    onWorks();
  };
  const { outcome = ENDED, observed } = await watched(hand, fresh, works);
  const follow = tools.purpose?.kind === "foreground" && tools.purpose.follow;
  // Who did not follow the driver's log sees its end where the run failed.
  if (
    !follow &&
    observed !== undefined &&
    outcome.kind !== "succeeded" &&
    outcome.kind !== "suspended" &&
    !hand.signal.aborted
  ) {
    const source = `${plan.coordinator.name}/${plan.coordinator.driver.name}`;
    for (const line of lastDriverLines(observed)) journal.emit({ type: "log", source, line });
  }
  return { outcome, observed };
}

async function watched(hand: Hand, fresh: boolean, works: () => void): Promise<Watched> {
  const stream = streamOf(hand.plan);
  if (stream === undefined) return await watchPods(hand, fresh, works);
  try {
    const { watchJob } = await import("./stream-hands.ts");
    return patient(hand, await watchJob(hand, stream, fresh, works));
  } catch (error) {
    return { outcome: infrastructure("The stream could not be watched", error), observed: undefined };
  }
}

/** A stream that has run fits: that there is no room for it now is no reason to give it up, while its budget lasts. */
function patient({ plan }: Hand, { outcome, observed }: Watched): Watched {
  return plan.attempt > 1 && outcome?.kind === "unschedulable"
    ? { outcome: { kind: "infrastructure", message: outcome.message }, observed }
    : { outcome, observed };
}

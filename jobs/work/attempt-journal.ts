import type { Plan } from "../../schema/plan.ts";
import { describeLarger } from "../report/words.ts";
import { environmentRemarks } from "../run/environment.ts";
import { Journal } from "../run/journal.ts";
import type { AttemptState } from "../run/phases.ts";
import { restoreAttempt } from "../run/restore.ts";
import { largerOf } from "./record.ts";
import { outcomeOf, wasMade } from "./state.ts";
import type { Driven } from "./types.ts";

/** A journal whose facts go to the driver's listener and into the run's row and events. */
export const openJournal = (
  { run, tools, patch, clock }: Pick<Driven, "run" | "tools" | "patch" | "clock">,
  append: ConstructorParameters<typeof Journal>[1]["append"],
  { run: id, attempt }: Plan,
  seen?: AttemptState,
): Journal =>
  new Journal(
    { run: id, attempt, submittedAt: new Date(run.submittedAt) },
    {
      listener: tools.onEvent,
      append,
      phase: async (phase) => {
        await patch({ phase });
      },
      clock,
    },
    seen,
  );

/** The first things that are said of an attempt. */
export async function announce(driven: Driven, plan: Plan, journal: Journal): Promise<void> {
  const { plannedEvent } = await import("../report/index.ts");
  journal.pass(plannedEvent(plan, journal.now()));
  if (plan.attempt === 1)
    for (const remark of environmentRemarks(driven.tools.environment)) journal.warn(remark);
  const larger = await largerOf({ ...driven, plan });
  if (larger !== undefined)
    journal.warn(
      `Attempt ${plan.attempt} gets more memory, since one before ran out of it: ${describeLarger(larger)}.`,
    );
  journal.enter("preparing");
}

/** What helpers before have seen of the attempt; nothing where the ledger does not tell. */
export async function seenBefore(
  { run, tools, state, clock }: Driven,
  { attempt }: Plan,
): Promise<AttemptState | undefined> {
  try {
    const events = (await tools.ledger.events(run.run)).events.map(({ event }) => event);
    return restoreAttempt(events, attempt, {
      made: wasMade(state),
      outcome: outcomeOf(state),
      now: clock(),
    });
  } catch {
    return undefined;
  }
}

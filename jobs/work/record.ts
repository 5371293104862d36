import type { Outcome } from "../../schema/outcome.ts";
import type { RunReport } from "../../schema/report.ts";
import type { ReportInput } from "../report/build.ts";
import { saveReport } from "../run/collect.ts";
import type { RunState } from "../run/machine.ts";
import { planAttempt } from "../run/prepare.ts";
import { attemptsOf } from "../run/restore.ts";
import { outcomeOf } from "./state.ts";
import { streamOf } from "./streams.ts";
import type { Driven } from "./types.ts";

type Recorded = Pick<Driven, "run" | "plan" | "spec" | "journal" | "observed" | "tools">;

/** The report of an attempt that is over; undefined where it never had a plan. */
export async function reportOf(driven: Recorded, state: RunState): Promise<RunReport | undefined> {
  const { run, plan, journal, observed } = driven;
  if (plan === undefined || journal === undefined) return undefined;
  const left = "left" in state ? state.left : journal.state.left;
  const kept = state.phase === "kept";
  // It was reported before: what was seen then is not known any more.
  if (run.report?.attempt === plan.attempt)
    return { ...run.report, outcome: outcomeOf(state) ?? run.report.outcome, left: [...left], kept };
  const { buildReport } = await import("../report/index.ts");
  const { phases, milestones, logs, outcome } = journal.state;
  const ended = outcomeOf(state) ?? outcome ?? { kind: "lost", message: "The run ended without a verdict." };
  await journal.flush();
  return buildReport({
    plan,
    outcome: ended,
    startedAt: new Date(run.submittedAt),
    endedAt: journal.now(),
    phases,
    milestones,
    observed,
    logs,
    left,
    kept,
    earlier: await earlierOf(driven, plan.attempt),
    larger: await largerOf(driven),
    stream: await streamFactsOf(driven, ended),
  });
}

/** Loads what streams need only where there is one. */
async function streamFactsOf(driven: Recorded, ended: Outcome): Promise<ReportInput["stream"]> {
  const stream = streamOf(driven.plan);
  if (stream === undefined) return undefined;
  const { streamFacts } = await import("./stream-report.ts");
  return await streamFacts(driven, stream, ended);
}

/** Saves a report beside the logs; a `final` one is told too. */
export async function deliverReport(
  { plan, journal, tools }: Recorded,
  report: RunReport | undefined,
  final: boolean,
): Promise<void> {
  if (report === undefined || plan === undefined || journal === undefined) return;
  await saveReport(plan, report, tools.store, journal.warn);
  await journal.flush();
  if (final) journal.emit({ type: "report", report });
}

/** The attempts before, as the ledger's events tell them. */
async function earlierOf(
  { run, journal, tools }: Recorded,
  attempt: number,
): Promise<NonNullable<RunReport["earlier"]>> {
  if (attempt === 1) return [];
  await journal?.flush();
  // A ledger that is away takes nothing else from the report.
  const events = await tools.ledger.events(run.run).then(
    (found) => found.events.map(({ event }) => event),
    () => [],
  );
  return attemptsOf(events).flatMap((seen) => {
    const [first] = seen.phases;
    if (seen.attempt >= attempt || first === undefined || seen.outcome === undefined) return [];
    const { startedFrom } = seen;
    return [
      {
        attempt: seen.attempt,
        startedAt: first.at,
        outcome: seen.outcome,
        ...(startedFrom === undefined ? {} : { startedFrom }),
      },
    ];
  });
}

/** What the attempt has more of than the spec says, in MiB; undefined where it has no more. */
export async function largerOf({
  run,
  plan,
  tools,
}: Pick<Recorded, "run" | "plan" | "tools">): Promise<RunReport["larger"]> {
  if (plan === undefined || run.spec === undefined || plan.attempt === 1) return undefined;
  if (run.spec.retries.memoryFactor === 1) return undefined;
  const identity = { run: plan.run, attempt: plan.attempt };
  const asked = await planAttempt(run.spec, tools.environment.contract, identity).then(
    (planned) => planned.plan,
    () => undefined,
  );
  if (asked === undefined) return undefined;
  const driver = { from: asked.coordinator.driver.memory, to: plan.coordinator.driver.memory };
  const workers = { from: asked.workers.container.memory, to: plan.workers.container.memory };
  if (driver.to <= driver.from && workers.to <= workers.from) return undefined;
  return {
    ...(driver.to > driver.from ? { driver } : {}),
    ...(workers.to > workers.from ? { workers } : {}),
  };
}

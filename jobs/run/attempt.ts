import { setTimeout as sleep } from "node:timers/promises";
import type { Plan } from "../../schema/plan.ts";
import type { RunReport } from "../../schema/report.ts";
import { EngineFailure, type ProcessEngine } from "../engine/index.ts";
import type { ObjectStore } from "../store/index.ts";
import type { RunCluster } from "./cluster.ts";
import { saveLogs, saveReport } from "./collect.ts";
import type { Journal } from "./journal.ts";
import { engineUserError, makeEventLogFolder, preflight } from "./preflight.ts";
import { removeRun } from "./removal.ts";
import { makeAndWatch, noteEngineEvent } from "./work.ts";

/** What one attempt works with. */
export interface AttemptTools {
  readonly engine: ProcessEngine;
  /** Opens the cluster: its library takes as long to load as the empty stack to be made, so the two happen side by side. */
  readonly cluster: () => Promise<RunCluster>;
  readonly store: ObjectStore;
  readonly journal: Journal;
  readonly signal: AbortSignal;
  readonly follow: boolean;
  readonly policy: boolean;
  readonly submittedAt: Date;
  /** Whether to leave the cluster up, once the outcome is known. */
  readonly keep: (outcome: RunReport["outcome"]) => boolean;
}

/** For saving logs; who cancels does not want to wait for them long. */
const COLLECT_LIMIT_MS = { cancelled: 10_000, ended: 120_000 } as const;

/**
 * One attempt from preparing to verifying. Whatever happens after the first object, it is destroyed again.
 * @throws UserError where nothing was made.
 */
export async function runAttempt(plan: Plan, attemptTools: AttemptTools): Promise<RunReport> {
  const { journal, signal } = attemptTools;
  const tools = { ...attemptTools, cluster: await prepare(plan, attemptTools) };
  const { observed, namespaceMade } = await makeAndWatch(plan, tools);
  const outcome = journal.state.outcome ?? { kind: "lost", message: "The run ended without a verdict." };

  if (namespaceMade) {
    journal.enter("collecting");
    const limit = signal.aborted ? COLLECT_LIMIT_MS.cancelled : COLLECT_LIMIT_MS.ended;
    await saveLogs(plan, tools.cluster, tools.store, journal, AbortSignal.timeout(limit));
  }

  const kept = tools.keep(outcome);
  if (!kept) await remove(plan, tools);

  const { buildReport } = await import("../report/index.ts");
  const { phases, milestones, logs, left } = journal.state;
  const endedAt = new Date();
  const startedAt = tools.submittedAt;
  const report = buildReport({
    plan,
    outcome,
    startedAt,
    endedAt,
    phases,
    milestones,
    observed,
    logs,
    left,
    kept,
  });
  await saveReport(plan, report, tools.store, journal.warn);
  journal.update({ state: kept ? "kept" : "ended", endedAt: endedAt.toISOString(), report });
  await journal.flush();
  return report;
}

/** A folder and a file are made and the CLI's process is started within this. */
const CLI_START_MS = 20;

/** The stack is made while the checks run: it is empty, and gone again where one of them fails. */
async function prepare(plan: Plan, tools: AttemptTools): Promise<RunCluster> {
  const { engine, store, journal } = tools;
  journal.enter("preparing");
  const check = async (): Promise<RunCluster> => {
    // Loading a library keeps this process from all else: the CLI is started first.
    await sleep(CLI_START_MS);
    const cluster = await tools.cluster();
    await preflight(plan, cluster, store);
    return cluster;
  };
  const [created, checked] = await Promise.allSettled([engine.create(plan), check()]);
  if (checked.status === "rejected") {
    if (created.status === "fulfilled") await dropEmptyStack(plan, tools);
    throw checked.reason;
  }
  if (created.status === "rejected") {
    throw created.reason instanceof EngineFailure ? engineUserError(created.reason.error) : created.reason;
  }
  await makeEventLogFolder(plan, store);
  return checked.value;
}

async function dropEmptyStack(
  plan: Plan,
  { engine, journal }: Pick<AttemptTools, "engine" | "journal">,
): Promise<void> {
  try {
    await engine.remove(plan.stack);
  } catch (error) {
    journal.warn(`The empty stack ${plan.stack} could not be removed: ${String(error)}`);
  }
}

async function remove(
  plan: Plan,
  { engine, cluster, journal }: Pick<AttemptTools, "engine" | "journal"> & { readonly cluster: RunCluster },
): Promise<void> {
  journal.enter("destroying");
  const { left } = await removeRun(plan, {
    engine,
    cluster,
    onEvent: (event) => {
      noteEngineEvent(event, journal);
    },
    onVerifying: () => {
      journal.enter("verifying");
    },
    warn: journal.warn,
  });
  if (left.length === 0) journal.reach("gone");
  journal.left(left);
}

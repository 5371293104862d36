// Runs of the time before the ledger: a JSON file each, in the state folder.
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { stateDir } from "../../base/paths.ts";
import { Outcome } from "../../schema/outcome.ts";
import { Plan } from "../../schema/plan.ts";
import { Phase, RunReport } from "../../schema/report.ts";
import type { Ledger, LedgerRun, RunStateName } from "../ledger/index.ts";
import { holderOf } from "./liveness.ts";

const FileRecord = z.strictObject({
  apiVersion: z.literal("mayfly.dev/record/v1"),
  plan: Plan,
  phase: Phase,
  state: z.enum(["active", "kept", "ended"]),
  connection: z.string(),
  helper: z.strictObject({ host: z.string(), pid: z.int(), startedAt: z.string() }),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  outcome: Outcome.optional(),
  left: z.array(z.string()),
  report: RunReport.optional(),
});

const STATE_OF_PHASE: Readonly<Record<Phase, RunStateName>> = {
  preparing: "planning",
  creating: "creating",
  starting: "running",
  running: "running",
  collecting: "finishing",
  destroying: "destroying",
  verifying: "destroying",
};

const STATE_OF_OUTCOME: Readonly<Record<Outcome["kind"], RunStateName>> = {
  succeeded: "succeeded",
  cancelled: "cancelled",
  suspended: "suspended",
  lost: "lost",
  "user-failure": "failed",
  "out-of-memory": "failed",
  image: "failed",
  unschedulable: "failed",
  refused: "failed",
  deadline: "failed",
  infrastructure: "failed",
};

/** The ledger's name of the state that a file's run is in. */
export function stateNameOf({
  state,
  phase,
  outcome,
}: Pick<z.infer<typeof FileRecord>, "state" | "phase" | "outcome">): RunStateName {
  if (state === "kept") return "kept";
  if (state === "active") return STATE_OF_PHASE[phase];
  return outcome === undefined ? "lost" : STATE_OF_OUTCOME[outcome.kind];
}

/** Takes the files over into the ledger, once; they stay beside it, in `runs-before-ledger-<time>`. */
export async function takeOverFiles(ledger: Ledger, state: string = stateDir()): Promise<void> {
  const folder = join(state, "runs");
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (names === undefined) return;
  for (const name of names.filter((entry) => entry.endsWith(".json"))) {
    const path = join(folder, name);
    const parsed = FileRecord.safeParse(await readJson(path));
    if (parsed.success) await ledger.adopt(runOf(parsed.data));
    else process.emitWarning(`Not a run record that this version reads, left aside: ${name}`);
  }
  // A helper of an older version may write there once more: no earlier one is replaced.
  await rename(folder, join(state, `runs-before-ledger-${Date.now()}`)).catch((error: unknown) => {
    // Another helper did the same meanwhile.
    if (isMissing(error)) return;
    throw error;
  });
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch {
    // No record either.
    return undefined;
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

function runOf({ plan, helper, startedAt, ...record }: z.infer<typeof FileRecord>): LedgerRun {
  return {
    run: plan.run,
    key: undefined,
    spec: undefined,
    specDigest: undefined,
    tenant: plan.tenant,
    job: plan.job,
    environment: plan.environment,
    connection: record.connection,
    interval: undefined,
    priority: 0,
    state: stateNameOf(record),
    attempt: plan.attempt,
    phase: record.phase,
    failureClass: undefined,
    outcome: record.outcome,
    namespace: plan.namespace,
    stack: plan.stack,
    holder: holderOf(helper),
    fence: 0,
    cancelRequestedAt: undefined,
    notBefore: undefined,
    submittedAt: startedAt,
    startedAt,
    endedAt: record.endedAt,
    updatedAt: record.endedAt ?? startedAt,
    left: record.left,
    version: 1,
    plan,
    report: record.report,
  };
}

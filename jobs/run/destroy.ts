import { EXIT, UserError } from "../../base/errors.ts";
import { startEngine } from "../engine/index.ts";
import { readConnection } from "./environment.ts";
import { isStale, openRecorded } from "./inspect.ts";
import { Journal } from "./journal.ts";
import { withLedger } from "./ledger.ts";
import { thisHelper } from "./liveness.ts";
import { ledgerRecords, type RunRecord, type RunRecords } from "./records.ts";
import { removeRun } from "./removal.ts";
import type { DestroyOptions, DestroyResult } from "./types.ts";
import { noteEngineEvent } from "./work.ts";

/** See index.ts. */
export async function destroyRun(run: string, options: DestroyOptions = {}): Promise<DestroyResult> {
  return await withLedger(async (ledger) => {
    const records = ledgerRecords(ledger);
    const record = await records.get(run);
    const { host, pid } = record.helper;
    if (record.state === "active" && !(await isStale(record))) {
      throw new UserError("run-active", `Run ${run} is still at work (process ${pid} on ${host}).`, {
        hint: `Stop it there with Ctrl-C, or: kill ${pid}. It destroys its cluster itself.`,
        exitCode: EXIT.conflict,
      });
    }
    return await remove(record, options, records);
  });
}

async function remove(
  record: RunRecord,
  options: DestroyOptions,
  records: RunRecords,
): Promise<DestroyResult> {
  const { plan } = record;
  const connection = await readConnection(options.connection ?? record.connection);
  const engine = startEngine(connection);
  try {
    const cluster = await openRecorded(record, options);
    try {
      // The same checks as before a run: what is not there can't be proven gone on another cluster.
      await cluster.check();
      const mine: RunRecord = { ...record, state: "active", helper: await thisHelper() };
      const journal = new Journal(records, mine, (event) => options.onEvent?.(event));
      journal.enter("destroying");
      const { by, left } = await removeRun(plan, {
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
      journal.left(left);
      const endedAt = record.endedAt ?? new Date().toISOString();
      journal.update({ state: "ended", endedAt, outcome: record.outcome ?? lost });
      await journal.flush();
      return { run: plan.run, namespace: plan.namespace, by, left };
    } finally {
      cluster.close();
    }
  } finally {
    await engine.close();
  }
}

/** Of a run whose helper died before there was a verdict. */
const lost = { kind: "lost", message: "The helper died before the run's end." } as const;

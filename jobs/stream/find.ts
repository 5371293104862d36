import { EXIT, UserError } from "../../base/errors.ts";
import { listNames } from "../../base/nearest.ts";
import { type Ledger, type LedgerRun, notAStream, type RunSummaryRow } from "../ledger/index.ts";
import { streamSpec } from "../work/streams.ts";
import type { StreamRun } from "./types.ts";

/** What a name on the command line means. */
export interface FoundStream {
  /** The run that was named; of a job its newest. */
  readonly run: StreamRun;
  /** The stream's newest run. */
  readonly latest: StreamRun;
}

type FindLedger = Pick<Ledger, "get" | "list" | "history">;

/**
 * Finds a stream by one of its runs or by its job's name.
 * @throws UserError `unknown-stream`, `not-a-stream`; `stream-ambiguous` where several tenants or environments have one of that name
 */
export async function findStream(
  ledger: FindLedger,
  name: string,
  tenant: string | undefined,
): Promise<FoundStream> {
  const named = await runNamed(ledger, name);
  if (named !== undefined) {
    const run = streamRun(named);
    const newest = await newestRun(ledger, run);
    const isNewest = newest === undefined || newest.run === run.run;
    return { run, latest: isNewest ? run : streamRun(await ledger.get(newest.run)) };
  }
  const run = streamRun(await ledger.get((await newestOf(ledger, name, tenant)).run));
  return { run, latest: run };
}

/** A stream's newest run. */
export async function newestRun(
  ledger: Pick<Ledger, "list">,
  { tenant, job, environment }: Pick<StreamRun, "tenant" | "job" | "environment">,
): Promise<RunSummaryRow | undefined> {
  const [newest] = await ledger.list({ tenant, job, environment, limit: 1 });
  return newest;
}

/** Undefined where the ledger knows of no such run, or not any more. */
export async function runNamed(ledger: Pick<Ledger, "get">, name: string): Promise<LedgerRun | undefined> {
  try {
    return await ledger.get(name);
  } catch (error) {
    if (error instanceof UserError && error.code === "unknown-run") return undefined;
    throw error;
  }
}

async function newestOf(ledger: FindLedger, job: string, tenant: string | undefined): Promise<RunSummaryRow> {
  const runs = await historyOf(ledger, job, tenant);
  const streams = new Map<string, RunSummaryRow>();
  for (const run of runs) {
    const key = `${run.tenant} in ${run.environment}`;
    if (!streams.has(key)) streams.set(key, run);
  }
  const [newest, ...others] = streams.values();
  if (newest === undefined) throw unknown(job, `Tenant ${tenant ?? ""} has no run of it.`);
  if (others.length === 0) return newest;
  const sameTenant = others.every((other) => other.tenant === newest.tenant);
  throw new UserError(
    "stream-ambiguous",
    `There are several streams ${job}: of ${listNames([...streams.keys()])}.`,
    {
      path: job,
      hint: sameTenant
        ? `Name one by its run instead, such as ${newest.run}: npx mayfly runs --job ${job}`
        : "Say whose: --tenant TENANT. Or name one by its run: npx mayfly runs",
      exitCode: EXIT.usage,
    },
  );
}

/** @throws UserError `unknown-stream` */
async function historyOf(
  ledger: FindLedger,
  job: string,
  tenant: string | undefined,
): Promise<readonly RunSummaryRow[]> {
  try {
    return await ledger.history(job, { tenant });
  } catch (error) {
    if (!(error instanceof UserError && error.code === "unknown-job")) throw error;
    throw unknown(job, error.hint);
  }
}

const unknown = (name: string, hint: string | undefined): UserError =>
  new UserError("unknown-stream", `The ledger knows of no run and of no job ${name}.`, {
    path: name,
    hint: `${hint ?? ""} See what there is: npx mayfly runs`.trim(),
    exitCode: EXIT.missingInput,
  });

/** @throws UserError `not-a-stream` */
export function streamRun(row: LedgerRun): StreamRun {
  const spec = streamSpec(row.spec);
  if (spec !== undefined) return { ...row, spec };
  throw notAStream(row.run);
}

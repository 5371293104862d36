import { EXIT, UserError } from "../../base/errors.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { DataInterval } from "../ledger/index.ts";
import { classRefusal, FINE_MAX, queueRefusal, rankOf } from "../queue/index.ts";
import { findConnection, readConnection, readContract } from "../run/environment.ts";
import { withLedger } from "../run/ledger.ts";
import { newRunId, planAttempt, readSpec } from "../run/prepare.ts";
import type { EnvironmentOptions } from "../run/types.ts";
import { limitsFrom } from "./limits.ts";
import { queuedState, writeState } from "./state.ts";
import { streamSpec } from "./streams.ts";

export interface SubmitOptions extends EnvironmentOptions {
  /** Of two submissions of a tenant with one key the first makes the run, the second gets it. */
  readonly key?: string | undefined;
  /** Within the job's service class: larger first, -1000 to 1000; default 0. */
  readonly priority?: number | undefined;
  readonly interval?: DataInterval | undefined;
}

export interface Submitted {
  readonly run: string;
  /** false where the key's run was there already. */
  readonly created: boolean;
}

/** See index.ts. */
export async function submitJob(job: JobSpec | string, options: SubmitOptions = {}): Promise<Submitted> {
  const { key, priority = 0, interval } = options;
  const path = await findConnection(options.connection);
  const connection = await readConnection(path);
  const [spec, contract] = await Promise.all([readSpec(job), readContract(connection.contract)]);
  const { tenant, serviceLevel } = spec;
  const limits = limitsFrom(contract, 1);
  const run = await newRunId(spec);
  return await withLedger(async (ledger) => {
    // What was taken once is not judged again: the environment may have changed, and the tenant's queue be full of it.
    if (key === undefined || (await ledger.find(tenant, key)) === undefined) {
      await planAttempt(spec, contract, { run, attempt: 1 });
      const refusal = classRefusal(tenant, serviceLevel.class, limits);
      if (refusal !== undefined) throw refusal;
    }
    return await ledger.submit(
      {
        run,
        key,
        spec,
        environment: contract.name,
        connection: path,
        interval,
        priority: rankOf(serviceLevel.class, priority),
        machine: writeState(queuedState(run, spec)),
      },
      {
        exclusive: streamSpec(spec) !== undefined,
        admit: (queued) => {
          const refusal = queueRefusal(tenant, queued, limits);
          if (refusal !== undefined) throw refusal;
        },
      },
    );
  });
}

/** @throws UserError `priority-invalid` */
export function parsePriority(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && Math.abs(value) <= FINE_MAX) return value;
  throw new UserError("priority-invalid", `Not a priority: ${text}`, {
    path: "--priority",
    hint: `Give a whole number from -${FINE_MAX} to ${FINE_MAX}; larger goes first within the job's service class, 0 is the default.`,
    exitCode: EXIT.usage,
  });
}

/** A date, or a time with its offset from UTC: what schedulers write, and no time whose zone has to be guessed. */
const ISO_8601 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2}))?$/;

function parseTime(option: string, text: string): string {
  const time = Date.parse(text);
  if (ISO_8601.test(text) && isDayOfMonth(text) && !Number.isNaN(time)) return new Date(time).toISOString();
  throw new UserError("interval-invalid", `Not a time: ${text}`, {
    path: option,
    hint: "Give it as ISO 8601: a date such as 2026-11-24 (midnight UTC), or 2026-11-24T06:00:00Z, 2026-11-24T07:00:00+01:00.",
    exitCode: EXIT.usage,
  });
}

/** JavaScript takes February 30th for March 2nd. */
function isDayOfMonth(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/**
 * The span of data of two options, in UTC; undefined where neither is there.
 * @throws UserError `interval-invalid` where one is missing, is no time, or the end is not after the start.
 */
export function parseInterval(start: string | undefined, end: string | undefined): DataInterval | undefined {
  if (start === undefined && end === undefined) return undefined;
  if (start === undefined || end === undefined) {
    throw new UserError("interval-invalid", "A data interval has a start and an end.", {
      path: start === undefined ? "--interval-start" : "--interval-end",
      hint: "Give both --interval-start (inclusive) and --interval-end (exclusive).",
      exitCode: EXIT.usage,
    });
  }
  const interval = { start: parseTime("--interval-start", start), end: parseTime("--interval-end", end) };
  if (Date.parse(interval.start) < Date.parse(interval.end)) return interval;
  throw new UserError("interval-invalid", "The data interval ends before it starts, or is empty.", {
    path: "--interval-end",
    hint: "Give an end (exclusive) after the start (inclusive), such as the next midnight.",
    exitCode: EXIT.usage,
  });
}

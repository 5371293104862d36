import { link, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { stateDir } from "../../base/paths.ts";
import { Outcome } from "../../schema/outcome.ts";
import { Plan } from "../../schema/plan.ts";
import { Phase, RunReport } from "../../schema/report.ts";

/** What is kept of a run, from before anything exists until it is forgotten. */
export const RunRecord = z.strictObject({
  apiVersion: z.literal("mayfly.dev/record/v1"),
  plan: Plan.describe("Of the last attempt."),
  phase: Phase,
  /** `active`: its helper works on it, or died; `kept`: left up on purpose; `ended`: destroyed, as far as `left` says. */
  state: z.enum(["active", "kept", "ended"]),
  connection: z.string().describe("Path of the connection file."),
  helper: z.strictObject({
    host: z.string(),
    pid: z.int(),
    /** Tells a process from a later one with the same id. */
    startedAt: z.string(),
  }),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().optional(),
  outcome: Outcome.optional(),
  left: z.array(z.string()),
  report: RunReport.optional(),
});
export type RunRecord = z.infer<typeof RunRecord>;

/** Where runs are recorded. A file each, for now; a ledger that several helpers share takes its place behind this. */
export interface RunRecords {
  /** @throws UserError `run-exists` */
  readonly add: (record: RunRecord) => Promise<void>;
  readonly put: (record: RunRecord) => Promise<void>;
  /** @throws UserError `unknown-run`, `record-unreadable` */
  readonly get: (run: string) => Promise<RunRecord>;
  /** Forgets a run that made nothing. */
  readonly remove: (run: string) => Promise<void>;
  /** Newest first. Unreadable ones are told to `onUnreadable`. */
  readonly list: (onUnreadable?: (file: string) => void) => Promise<readonly RunRecord[]>;
}

/** Records as JSON files in a folder; a reader never sees half a file. */
export function fileRecords(folder: string = join(stateDir(), "runs")): RunRecords {
  const path = (run: string): string => join(folder, `${run}.json`);
  const writeAside = async (record: RunRecord): Promise<string> => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const aside = `${path(record.plan.run)}.${process.pid}.tmp`;
    await writeFile(aside, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
    return aside;
  };
  const read = async (file: string): Promise<RunRecord> =>
    RunRecord.parse(JSON.parse(await readFile(file, "utf8")));

  return {
    add: async (record) => {
      const aside = await writeAside(record);
      try {
        // A link never replaces a file: of two helpers with the same run id one fails here, before anything exists.
        await link(aside, path(record.plan.run));
      } catch (cause) {
        if (!hasCode(cause, "EEXIST")) throw cause;
        throw new UserError("run-exists", `There is a run ${record.plan.run} already.`, {
          path: path(record.plan.run),
          hint: "Leave the run's id out, so that a new one is made.",
          cause,
        });
      } finally {
        await rm(aside, { force: true });
      }
    },
    put: async (record) => {
      await rename(await writeAside(record), path(record.plan.run));
    },
    get: async (run) => {
      // Also keeps `../` out of the path.
      if (!/^[a-z0-9-]+$/.test(run)) throw unknownRun(run);
      try {
        return await read(path(run));
      } catch (cause) {
        if (hasCode(cause, "ENOENT")) throw unknownRun(run);
        throw new UserError("record-unreadable", `The record of run ${run} can't be read.`, {
          path: path(run),
          hint: "It may be another version's. Look for namespaces with the label mayfly.dev/run, then delete the file.",
          cause,
        });
      }
    },
    remove: async (run) => {
      await rm(path(run), { force: true });
    },
    list: async (onUnreadable) => {
      const names = await readdir(folder).catch((error: unknown) => {
        if (hasCode(error, "ENOENT")) return [];
        throw error;
      });
      const files = names.filter((name) => name.endsWith(".json")).map((name) => join(folder, name));
      const records = await Promise.all(
        files.map(async (file) => {
          try {
            return await read(file);
          } catch {
            onUnreadable?.(file);
            return undefined;
          }
        }),
      );
      return records
        .filter((record) => record !== undefined)
        .sort((one, other) => other.startedAt.localeCompare(one.startedAt));
    },
  };
}

const hasCode = (error: unknown, code: string): boolean =>
  typeof error === "object" && error !== null && Reflect.get(error, "code") === code;

const unknownRun = (run: string): UserError =>
  new UserError("unknown-run", `This machine knows of no run ${run}.`, {
    hint: "See the runs it knows: npx mayfly list",
  });

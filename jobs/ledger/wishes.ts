import type { Kysely } from "kysely";
import { z } from "zod";
import { EXIT, UserError } from "../../base/errors.ts";
import { notAStream } from "./refusals.ts";
import { wishOf } from "./rows.ts";
import { isTerminal, unknownRun } from "./runs.ts";
import type { Tables } from "./tables.ts";
import { TERMINAL_STATES, type Wish } from "./types.ts";

type Db = Kysely<Tables>;

/** See `Ledger.wish`. */
export async function wish(db: Db, run: string, asked: Wish): Promise<Wish> {
  const row = await db.selectFrom("runs").select("spec").where("run", "=", run).executeTakeFirst();
  if (row === undefined) throw await unknownRun(db, run);
  if (!isStream(row.spec)) throw notAStream(run);
  const taken = await db
    .updateTable("runs")
    .set({ wish: JSON.stringify(asked) })
    .where("run", "=", run)
    .where("wish", "is", null)
    .where("state", "not in", [...TERMINAL_STATES])
    .returning("run")
    .executeTakeFirst();
  if (taken !== undefined) return asked;
  const found = await db
    .selectFrom("runs")
    .select(["state", "wish"])
    .where("run", "=", run)
    .executeTakeFirst();
  if (found === undefined) throw await unknownRun(db, run);
  if (isTerminal(found.state)) throw finished(run, found.state);
  const pending = wishOf(run, found.wish);
  // Answered between the two statements.
  if (pending === undefined) return await wish(db, run, asked);
  if (contentWithLess(pending, asked) && (await replace(db, run, found.wish, asked))) return asked;
  if (pending.id === asked.id || (pending.kind === "suspend" && asked.kind === "suspend")) return pending;
  throw new UserError("wish-pending", `Run ${run} has a ${pending.kind} to do, asked for at ${pending.at}.`, {
    path: `run ${run}`,
    hint: `Wait until that is answered, then ask again: npx mayfly show ${run}`,
    exitCode: EXIT.conflict,
  });
}

/** Whether the same is asked with less to wait for: a checkpoint instead of the savepoint that can't be had. */
const contentWithLess = (pending: Wish, asked: Wish): boolean =>
  pending.kind === "suspend" &&
  pending.lastState === undefined &&
  asked.kind === "suspend" &&
  asked.lastState !== undefined;

/** @returns Whether nobody answered or replaced it meanwhile. */
async function replace(db: Db, run: string, pending: string | null, asked: Wish): Promise<boolean> {
  const replaced = await db
    .updateTable("runs")
    .set({ wish: JSON.stringify(asked) })
    .where("run", "=", run)
    .where("wish", "=", pending)
    .returning("run")
    .executeTakeFirst();
  return replaced !== undefined;
}

const Kind = z.looseObject({ kind: z.string() });

/** By one member only: a spec of another version is a stream too. */
function isStream(text: string | null): boolean {
  const spec = Kind.safeParse(text === null ? undefined : JSON.parse(text));
  return spec.success && spec.data.kind === "stream";
}

const finished = (run: string, state: string): UserError =>
  new UserError("run-finished", `Run ${run} has ended already: ${state}.`, {
    path: `run ${run}`,
    hint: `See how: npx mayfly show ${run}`,
    exitCode: EXIT.conflict,
  });

// A real `mayfly work` in a process of its own, and what it said of each run.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { z } from "zod";
import { RunEvent } from "../../../schema/events.ts";
import type { BenchPlace } from "./place.ts";

/** One run as its worker told of it; times in seconds since the run was submitted. */
export interface Told {
  readonly run: string;
  readonly claimed: number;
  readonly objectsExist: number;
  readonly result: number;
  readonly gone: number;
  readonly outcome: string;
  readonly left: readonly string[];
}

const Note = z.object({ type: z.enum(["claimed", "left"]), run: z.string() });

export interface BenchWorker {
  readonly pid: number;
  /** Runs that were taken so far, each with the time (milliseconds since 1970). */
  readonly claimed: ReadonlyMap<string, number>;
  /** Runs that the worker has nothing more to do with. */
  readonly over: ReadonlySet<string>;
  /** Runs that reached a phase, each with the time it was heard of. */
  readonly phases: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly told: () => readonly Told[];
  /** Settles at the next thing it says. */
  readonly news: () => Promise<void>;
  /** What went wrong in the process itself. */
  readonly complaints: () => string;
  readonly stop: () => Promise<void>;
}

export function startBenchWorker(place: BenchPlace, slots: number): BenchWorker {
  const child = spawn(place.mayfly, ["work", "--slots", String(slots), "--json"], {
    env: place.env,
    stdio: ["ignore", "pipe", "pipe"],
    // A session of its own: a terminal's Ctrl-C is for the bench, which cancels what is at work.
    detached: true,
  });
  const exited = new Promise<void>((resolve) =>
    child.once("close", () => {
      resolve();
    }),
  );
  const claimed = new Map<string, number>();
  const over = new Set<string>();
  const phases = new Map<string, Map<string, number>>();
  const reports = new Map<string, Extract<RunEvent, { type: "report" }>["report"]>();
  let complaints = "";
  let tell = Promise.withResolvers<undefined>();
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said: unknown = JSON.parse(line);
    const note = Note.safeParse(said);
    if (note.success) {
      if (note.data.type === "claimed") claimed.set(note.data.run, Date.now());
      else over.add(note.data.run);
    } else {
      const event = RunEvent.safeParse(said);
      if (event.success && event.data.type === "report") reports.set(event.data.run, event.data.report);
      if (event.success && event.data.type === "phase") {
        const of = phases.get(event.data.run) ?? new Map<string, number>();
        phases.set(event.data.run, of.set(event.data.phase, Date.now()));
      }
    }
    tell.resolve(undefined);
    tell = Promise.withResolvers<undefined>();
  });
  return {
    pid: child.pid ?? 0,
    claimed,
    over,
    phases,
    complaints: () => complaints,
    news: async () => {
      await Promise.race([tell.promise, exited]);
      if (child.exitCode !== null) throw new Error(`the worker ended (${child.exitCode}): ${complaints}`);
    },
    told: () =>
      [...reports].map(([run, { milestones, outcome, startedAt, left }]) => ({
        run,
        claimed: ((claimed.get(run) ?? Number.NaN) - Date.parse(startedAt)) / 1000,
        objectsExist: milestones.objectsExist ?? Number.NaN,
        result: milestones.result ?? Number.NaN,
        gone: milestones.gone ?? Number.NaN,
        outcome: outcome.kind,
        left,
      })),
    stop: async () => {
      stopGently(child);
      await exited;
    },
  };
}

/** Twice: the second SIGTERM hands over at once what is still at work, which is nothing unless the bench itself fails. */
function stopGently(child: ChildProcess): void {
  child.kill("SIGTERM");
  const hurry = setTimeout(() => child.kill("SIGTERM"), 30_000);
  const kill = setTimeout(() => child.kill("SIGKILL"), 90_000);
  child.once("close", () => {
    clearTimeout(hurry);
    clearTimeout(kill);
  });
}

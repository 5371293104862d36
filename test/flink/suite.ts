// Plays the chapters, in lanes: rows of a chapter hand their stream on to each other.
import { inspect } from "node:util";
import type { Cluster } from "../../jobs/watch/index.ts";
import { labStore } from "../../lab/store.ts";
import type { Certificate } from "../faults/certificate.ts";
import { type Checked, isTerminal } from "../faults/invariants.ts";
import type { Row } from "../faults/suite.ts";
import { checkAll, leftovers } from "./invariants.ts";
import { makeFlinkPlace } from "./place.ts";
import { BUCKET, folderOf, stateKey } from "./spec.ts";
import { Stage } from "./stage.ts";
import type { Chapter, FlinkRow } from "./types.ts";

export interface SuiteOptions {
  readonly cluster: Cluster;
  readonly certificate: Certificate;
  readonly chapters: readonly Chapter[];
  /** Chapters at once: each has one Flink cluster at most. */
  readonly lanes: number;
  readonly onRow: (row: Row) => void;
  /** Begins nothing more; what is under way is ended and removed. */
  readonly stop: AbortSignal;
}

/** Gives a row for each of the chapters' rows, in the order of their end; those that could not be tried are broken. */
export async function runSuite(options: SuiteOptions): Promise<Row[]> {
  const rows: Row[] = [];
  const tell = (row: Row): void => {
    rows.push(row);
    options.onRow(row);
  };
  const queue = options.chapters.filter(({ alone }) => alone !== true);
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      await new Telling(next, options, tell).play();
  };
  await Promise.all(Array.from({ length: options.lanes }, lane));
  for (const chapter of options.chapters.filter(({ alone }) => alone === true))
    await new Telling(chapter, options, tell).play();
  return rows;
}

let serial = 0;

/** One chapter. */
class Telling {
  readonly #chapter: Chapter;
  readonly #options: SuiteOptions;
  readonly #tell: (row: Row) => void;
  #stage: Stage | undefined;

  constructor(chapter: Chapter, options: SuiteOptions, tell: (row: Row) => void) {
    this.#chapter = chapter;
    this.#options = options;
    this.#tell = tell;
  }

  async play(): Promise<void> {
    try {
      for (const row of this.#chapter.rows) if (!this.#options.stop.aborted) await this.#row(row);
    } finally {
      if (this.#stage !== undefined) await this.#close(this.#stage, "(the stream removed, with its state)");
    }
  }

  async #row(row: FlinkRow): Promise<void> {
    const since = performance.now();
    const stage = (this.#stage ??= await this.#open());
    const before = new Set((await stage.runs()).filter(isTerminal).map(({ run }) => run));
    let error: unknown;
    try {
      await bounded(stage, row, this.#options.stop);
    } catch (caught) {
      error = caught;
    }
    const { checked, ends } = await look(stage, before, error);
    this.#line(row.slug, checked, ends, since);
    // Whatever is wrong with it, it is not the next row's doing.
    if (checked.some(({ broken }) => broken.length > 0)) await this.#close(stage, undefined);
  }

  async #open(): Promise<Stage> {
    serial += 1;
    const { certificate, cluster } = this.#options;
    const place = await makeFlinkPlace(`flink-${process.pid}-${serial}`, certificate, this.#chapter.place);
    return new Stage(place, cluster, this.#chapter.spec ?? {});
  }

  /** @param title Of the row about the end; undefined: something is broken already, and only has to go. */
  async #close(stage: Stage, title: string | undefined): Promise<void> {
    this.#stage = undefined;
    const since = performance.now();
    const store = await labStore();
    try {
      const before = new Set((await stage.runs()).filter(isTerminal).map(({ run }) => run));
      await stage.stop();
      const left = await stage.clear();
      if (title === undefined) {
        if (left !== "") this.#options.onRow(leftRow(this.#chapter.name, left));
        return;
      }
      const { checked, ends } = await look(stage, before, undefined);
      const runs = await stage.runs();
      const state = leftovers(await store.list(BUCKET, stateKey(stage.name)), runs);
      const nothing: Checked = {
        name: "no state",
        broken: [
          ...(left === "" ? [] : [`the stream could not be removed: ${left}`]),
          ...(state.length === 0
            ? []
            : [`${state.length} objects of state are left, such as ${state[0] ?? ""}`]),
        ],
      };
      this.#line(title, [...checked, nothing], ends, since);
    } finally {
      await stage.stop();
      await store.clear(BUCKET, folderOf(stage.name));
      await stage.place.remove();
    }
  }

  #line(fault: string, checked: readonly Checked[], ends: readonly string[], since: number): void {
    this.#tell({
      fault,
      group: this.#chapter.name,
      tried: 1,
      held: checked.filter(({ broken }) => broken.length === 0).length,
      checked: checked.length,
      seconds: (performance.now() - since) / 1000,
      ends: [...new Set(ends)],
      broken: checked.flatMap(({ name, broken }) => broken.map((how) => `${name}: ${how}`)),
    });
  }
}

const leftRow = (group: string, left: string): Row => ({
  ...{ fault: "(clearing up after it)", group, tried: 1, held: 0, checked: 1, seconds: 0, ends: [] },
  broken: [left],
});

/** Brings the stream to where the row begins, and does what the row does, within its bound. */
async function bounded(stage: Stage, { needs, play, within }: FlinkRow, stop: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const late = (): void => {
    reject(new Error(stop.aborted ? "stopped" : `not done within ${within} s`));
  };
  const timer = setTimeout(late, within * 1000);
  stop.addEventListener("abort", late);
  const work = async (): Promise<void> => {
    if (needs === "running") await stage.running();
    if (needs === "suspended") await stage.suspended();
    await play(stage);
  };
  try {
    await Promise.race([work(), promise]);
  } catch (error) {
    await stage.stop();
    throw error;
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", late);
  }
}

const told = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : inspect(error);

/** Looks at all that has to hold now. @param error Of the row itself. */
async function look(
  stage: Stage,
  before: ReadonlySet<string>,
  error: unknown,
): Promise<{ readonly checked: readonly Checked[]; readonly ends: readonly string[] }> {
  const { said, required } = await stage.ended();
  const runs = await stage.runs();
  const { cluster, place } = stage;
  const facts = { cluster, place, runs, before, savepoints: await stage.savepoints(), said };
  const failed = error === undefined ? [] : [told(error)];
  // A stack trace is a defect of ours, whatever else went wrong.
  const traces = /(?:^.*\n)?(?:^\s+at .+:\d+:\d+\)?\n)+/m.exec(said) ?? [];
  const checked = [
    {
      name: "as expected",
      broken: [
        ...failed,
        ...required,
        ...traces.map((trace) => `a command printed a stack trace:\n${trace}`),
      ],
    },
    ...(await checkAll(facts)),
  ];
  const wrong = checked.some(({ broken }) => broken.length > 0);
  const ends = runs
    .filter((run) => isTerminal(run) && !before.has(run.run))
    .map(({ outcome }) => outcome?.kind ?? "lost");
  return {
    checked: wrong ? [...checked, { name: "output", broken: [said.slice(-4000)] }] : checked,
    ends: ends.length === 0 ? ["running"] : ends,
  };
}

// Tries the faults, in lanes, with a canary run beside them.
import type { Cluster } from "../../jobs/watch/index.ts";
import type { PostgresServer } from "../ledger/postgres-server.ts";
import { type Canary, startCanary } from "./canary.ts";
import type { Certificate } from "./certificate.ts";
import {
  type Checked,
  checkBackend,
  checkNothingLive,
  checkProcesses,
  checkSecrets,
  ledgerRuns,
} from "./invariants.ts";
import { powerCut } from "./list/power-cut.ts";
import { postgresServer, type Tried, tryFault } from "./scene.ts";
import type { Fault } from "./types.ts";

/** A line of the table. */
export interface Row {
  readonly fault: string;
  readonly group: string;
  readonly tried: number;
  /** Of the invariants of all tries. */
  readonly held: number;
  readonly checked: number;
  readonly seconds: number;
  /** How the runs ended, each kind once. */
  readonly ends: readonly string[];
  readonly broken: readonly string[];
}

export interface SuiteOptions {
  readonly cluster: Cluster;
  readonly certificate: Certificate;
  /** Faults at once. */
  readonly lanes: number;
  readonly faults: readonly Fault[];
  /** Whether another tenant's run goes on beside them. */
  readonly canary: boolean;
  /** Whether all processes are killed at each write: `all` writes, a `sample` of them, or not at all. */
  readonly cuts: "all" | "sample" | "none";
  readonly onRow: (row: Row) => void;
  /** Begins nothing more: what is under way is ended and cleaned up. */
  readonly stop: AbortSignal;
}

/** Runs all of it. Gives the rows in the order of their coming; also for what could not be tried, as broken. */
export async function runSuite(options: SuiteOptions): Promise<Row[]> {
  const suite = new Suite(options);
  return await suite.run();
}

/** The first (namespace or Lease), in the midst of creating, and while destroying: a run of today makes 18. */
const SAMPLE = { run: [1, 4, 13, 16], worker: [2, 9, 17] } as const;
/** Of a worker's run every third write is cut: it goes on and makes all again, which takes twice as long. */
const WORKER_STEP = 3;
/** Nothing makes as many: a run that is still cut there has a defect. */
const MOST_WRITES = 80;

class Suite {
  readonly #options: SuiteOptions;
  readonly #rows: Row[] = [];
  #canary: Canary | undefined;
  #postgres: Promise<PostgresServer> | undefined;
  #serial = 0;

  constructor(options: SuiteOptions) {
    this.#options = options;
  }

  async run(): Promise<Row[]> {
    const { certificate, faults, cuts } = this.#options;
    if (this.#options.canary) this.#canary = await startCanary(certificate);
    try {
      const alone = faults.filter((fault) => fault.alone === true);
      // The long ones first, so that no lane waits for another at the end.
      const others = faults.filter((fault) => fault.alone !== true).toSorted((a, b) => b.within - a.within);
      await this.#lanes(
        others.map((fault) => async () => {
          this.#row(fault.name, fault.group, [await this.#try(fault)]);
        }),
      );
      if (cuts !== "none") {
        await this.#cuts("run", cuts === "all" ? 1 : undefined);
        await this.#cuts("worker", cuts === "all" ? WORKER_STEP : undefined);
      }
      for (const fault of alone) {
        if (!this.#options.stop.aborted) this.#row(fault.name, fault.group, [await this.#try(fault)]);
      }
    } finally {
      if (this.#canary !== undefined) await this.#endCanary(this.#canary);
      await (await this.#postgres)?.stop();
    }
    return this.#rows;
  }

  async #lanes(work: readonly (() => Promise<void>)[]): Promise<void> {
    const queue = [...work];
    const lane = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined && !this.#options.stop.aborted; next = queue.shift())
        await next();
    };
    await Promise.all(Array.from({ length: this.#options.lanes }, lane));
  }

  /**
   * Cuts after the first write, and then after every `step`-th, until a run makes fewer writes than that and so is never cut.
   * @param step Where left out: at a few writes only.
   */
  async #cuts(by: "run" | "worker", step: number | undefined): Promise<void> {
    const who = by === "run" ? "" : "a worker's run: ";
    const tries: Try[] = [];
    const cut = async (n: number): Promise<boolean> => {
      const tried = await this.#try(powerCut(n, by));
      tries.push(tried);
      return tried.tried === undefined || tried.tried.writes >= n;
    };
    if (step === undefined) {
      await this.#lanes(
        SAMPLE[by].map((n) => async () => {
          await cut(n);
        }),
      );
      this.#row(`${who}all killed at writes ${SAMPLE[by].join(", ")}`, "power cut", tries);
      return;
    }
    const ahead = { next: 1, uncut: false };
    const lane = async (): Promise<void> => {
      while (!ahead.uncut && !this.#options.stop.aborted && ahead.next <= MOST_WRITES) {
        const n = ahead.next;
        ahead.next += step;
        if (!(await cut(n))) ahead.uncut = true;
      }
    };
    await Promise.all(Array.from({ length: this.#options.lanes }, lane));
    if (tries.length === 0) return;
    const endless = ahead.uncut || this.#options.stop.aborted ? [] : [`still cut at write ${MOST_WRITES}`];
    const every = step === 1 ? "each write" : `each ${step}rd write`;
    this.#row(`${who}all killed at ${every}, until a run was not cut`, "power cut", tries, endless);
  }

  async #try(fault: Fault): Promise<Try> {
    const since = performance.now();
    this.#serial += 1;
    try {
      const tried = await tryFault(fault, this.#serial, {
        ...this.#options,
        postgres: async () => await (this.#postgres ??= postgresServer()),
      });
      const canary = await this.#canary?.check();
      const checked = canary === undefined ? tried.checked : [...tried.checked, canary];
      return { name: fault.name, tried: { ...tried, checked }, seconds: tried.seconds, error: undefined };
    } catch (error) {
      // The suite's own defect, or the lab's: not held, and not hidden.
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return { name: fault.name, tried: undefined, seconds: (performance.now() - since) / 1000, error: text };
    }
  }

  #row(fault: string, group: string, tries: readonly Try[], more: readonly string[] = []): void {
    const checked = tries.flatMap(({ tried }) => tried?.checked ?? []);
    const broken = tries.flatMap(({ name, tried, error }) => [
      ...(error === undefined ? [] : [`${name}: could not be tried: ${error}`]),
      ...(tried?.checked ?? []).flatMap((one) => one.broken.map((how) => `${name}: ${one.name}: ${how}`)),
    ]);
    const row: Row = {
      fault,
      group,
      tried: tries.length,
      held: checked.filter((one) => one.broken.length === 0).length,
      checked: checked.filter(({ name }) => name !== OUTPUT).length,
      seconds: tries.reduce((sum, { seconds }) => sum + seconds, 0),
      ends: [...new Set(tries.flatMap(({ tried }) => tried?.ends ?? []))],
      broken: [...broken, ...more],
    };
    this.#rows.push(row);
    this.#options.onRow(row);
  }

  /** It ends like any cancelled run, after all that happened beside it. */
  async #endCanary(canary: Canary): Promise<void> {
    const since = performance.now();
    const untouched = await canary.check();
    const { place, output, code, remove } = await canary.end();
    const runs = await ledgerRuns(place);
    const checked: Checked[] = [
      untouched,
      { name: "as expected", broken: code === 130 ? [] : [`exit code ${code ?? "none"} in place of 130`] },
      await checkProcesses(place),
      await checkNothingLive(this.#options.cluster, place, runs),
      await checkBackend(place),
      await checkSecrets(place, output, runs),
    ];
    await Promise.all([place.remove(), remove()]);
    const seconds = (performance.now() - since) / 1000;
    const ends = runs.map(({ outcome }) => outcome?.kind ?? "lost");
    const tried: Tried = { seconds, checked, ends, writes: place.proxy.writes.length };
    this.#row("(another tenant's run beside all of it, cancelled at the end)", "cluster", [
      { name: "canary", tried, seconds, error: undefined },
    ]);
  }
}

interface Try {
  readonly name: string;
  readonly tried: Tried | undefined;
  readonly seconds: number;
  readonly error: string | undefined;
}

/** Not an invariant: what a broken try printed. */
const OUTPUT = "output";

import type { RunSummaryRow } from "../ledger/index.ts";
import { helperLives, helperOf } from "../run/liveness.ts";
import type { LeaseLook } from "./place.ts";

/** How a run's holder looked, and since when, by our monotonic clock in milliseconds. */
interface Sight {
  readonly looks: string;
  readonly since: number;
}

/** What is asked of the outside. */
export interface OrphanTools {
  readonly leaseLooks: (run: RunSummaryRow) => Promise<LeaseLook>;
  /** As `helperLives`: undefined for another machine. */
  readonly lives?: (holder: string | undefined) => Promise<boolean | undefined>;
  readonly monotonic: () => number;
  /** How long a lease lasts, in milliseconds. */
  readonly duration: number;
}

const livesByName = async (holder: string | undefined): Promise<boolean | undefined> => {
  const helper = helperOf(holder);
  return helper === undefined ? undefined : await helperLives(helper);
};

/**
 * Finds runs whose helper is gone: by the process where it ran on this machine, else by a lease (or a run without one) that did not change
 * for a whole lease. That only says whom to try: taking the lease and writing the ledger decide.
 */
export class Orphans {
  readonly #tools: OrphanTools;
  readonly #sights = new Map<string, Sight>();

  constructor(tools: OrphanTools) {
    this.#tools = tools;
  }

  /** Those of `runs`, which others work on, or did, that nobody works on now; and those of which it is not known yet. */
  async find(
    runs: readonly RunSummaryRow[],
  ): Promise<{ readonly orphans: readonly RunSummaryRow[]; readonly undecided: number }> {
    const known = new Set(runs.map(({ run }) => run));
    for (const run of this.#sights.keys()) if (!known.has(run)) this.#sights.delete(run);
    const judged = await Promise.all(
      runs.map(async (run) => ({ run, verdict: await this.#judge(run).catch(() => "undecided" as const) })),
    );
    return {
      orphans: judged.filter(({ verdict }) => verdict === "orphan").map(({ run }) => run),
      undecided: judged.filter(({ verdict }) => verdict === "undecided").length,
    };
  }

  async #judge(run: RunSummaryRow): Promise<"orphan" | "alive" | "undecided"> {
    const { leaseLooks, lives = livesByName, monotonic, duration } = this.#tools;
    if (run.holder === undefined) return "orphan";
    const alive = await lives(run.holder);
    if (alive !== undefined) return alive ? "alive" : "orphan";
    const asked = monotonic();
    const look = await leaseLooks(run);
    if (look.kind === "unknown") return "undecided";
    const looks = `${run.holder} ${run.version} ${look.kind === "held" ? look.looks : look.kind}`;
    const before = this.#sights.get(run.run);
    if (before?.looks !== looks) {
      this.#sights.set(run.run, { looks, since: monotonic() });
      // A change tells that somebody writes; a first look tells nothing.
      return before === undefined ? "undecided" : "alive";
    }
    return asked - before.since >= duration ? "orphan" : "undecided";
  }
}

// One try of one fault: its place, its processes, its end, and what held.
import type { Cluster } from "../../jobs/watch/index.ts";
import type { Certificate } from "./certificate.ts";
import {
  type Checked,
  checkBackend,
  checkEnded,
  checkNothingLive,
  checkProcesses,
  checkSecrets,
  checkUpdaters,
  isTerminal,
  ledgerRuns,
} from "./invariants.ts";
import { makePlace, type Place } from "./place.ts";
import { type Helper, processesWith, send, startHelper } from "./processes.ts";
import type { End, Fault, Scene } from "./types.ts";

export interface Tried {
  readonly seconds: number;
  readonly checked: readonly Checked[];
  readonly ends: readonly End[];
  /** Writes that came through the proxy. */
  readonly writes: number;
}

/** For one `mayfly destroy`: its own limits are shorter. */
const RECOVERY_SECONDS = 400;

/** Tries a fault once. @param serial Tells places apart; part of the job's name. */
export async function tryFault(
  fault: Fault,
  serial: number,
  { cluster, certificate }: { readonly cluster: Cluster; readonly certificate: Certificate },
): Promise<Tried> {
  const since = performance.now();
  const place = await makePlace(`fault-${process.pid}-${serial}`, certificate);
  const stage = new Stage(fault, place, cluster);
  try {
    try {
      await stage.play();
    } catch (error) {
      await stage.kill();
      throw error;
    } finally {
      // Also where the fault itself could not be done: nothing of a run may stay in the lab.
      await stage.recover();
    }
    const checked = await stage.check(since);
    const runs = await ledgerRuns(place);
    const ends: End[] = runs.length === 0 ? ["refused"] : runs.map(({ outcome }) => outcome?.kind ?? "lost");
    return { seconds: (performance.now() - since) / 1000, checked, ends, writes: place.proxy.writes.length };
  } finally {
    await stage.kill();
    await place.remove();
  }
}

class Stage implements Scene {
  readonly place: Place;
  readonly cluster: Cluster;
  readonly #fault: Fault;
  readonly #helpers: Helper[] = [];
  readonly #undo: (() => Promise<void>)[] = [];
  readonly #required: string[] = [];
  readonly #bound: string[] = [];

  constructor(fault: Fault, place: Place, cluster: Cluster) {
    this.#fault = fault;
    this.place = place;
    this.cluster = cluster;
  }

  job = async (): Promise<string> => await this.place.job(this.#fault.job, this.#fault.seconds);

  start: Scene["start"] = async (env = {}) =>
    this.launch("first", "bin/mayfly", ["run", "--json", await this.job()], env);

  launch: Scene["launch"] = (holder, program, args, env = {}) => {
    const helper = startHelper(program, args, { ...this.place.env(holder), ...env });
    this.#helpers.push(helper);
    return helper;
  };

  namespace = (): string => {
    const planned = this.#helpers.flatMap(({ events }) => events).find((event) => event.type === "planned");
    if (planned?.type !== "planned") throw new Error("nothing was planned yet");
    return planned.namespace;
  };

  kill = async (part = ""): Promise<number> => {
    const all = await processesWith(this.place.mark.name, this.place.mark.value);
    return all.filter(({ pid, command }) => command.includes(part) && send(pid, "SIGKILL")).length;
  };

  afterwards = (undo: () => Promise<void>): void => {
    this.#undo.push(undo);
  };

  require = (holds: boolean, otherwise: string): void => {
    if (!holds) this.#required.push(otherwise);
  };

  /** In place of `mayfly destroy`, `mayfly resume` comes here. */
  recover = async (): Promise<void> => {
    for (const { run } of (await ledgerRuns(this.place)).filter(
      (row) => !isTerminal(row) || row.left.length > 0,
    )) {
      const args = ["destroy", run, "--connection", this.place.connection("successor"), "--json"];
      const helper = this.launch("successor", "bin/mayfly", args);
      await this.#bounded(helper.exit, `the recovery of ${run}`, RECOVERY_SECONDS);
    }
  };

  async play(): Promise<void> {
    try {
      await this.#bounded(this.#fault.inject(this), "the fault");
      await this.#bounded(Promise.all(this.#helpers.map(async ({ exit }) => await exit)), "the helper");
    } finally {
      this.place.proxy.spoil(undefined);
      await this.place.proxy.restore();
      for (const undo of this.#undo) await undo();
    }
  }

  async check(since: number): Promise<Checked[]> {
    const { place, cluster } = this;
    const runs = await ledgerRuns(place);
    const output = this.#helpers.map((helper) => helper.said()).join("\n");
    const seconds = (performance.now() - since) / 1000;
    const late = seconds > this.#fault.within ? [`took ${Math.round(seconds)} s`] : [];
    const checked = [
      {
        name: "as expected",
        broken: [...this.#unexpected(runs.map(({ outcome }) => outcome?.kind)), ...this.#required],
      },
      { name: "in time", broken: [...this.#bound, ...late] },
      checkEnded(runs),
      await checkProcesses(place),
      await checkNothingLive(cluster, place, runs),
      await checkBackend(place),
      checkUpdaters(place.proxy.writes),
      await checkSecrets(place, output, runs),
    ];
    // What people need to find the cause.
    const wrong = checked.some(({ broken }) => broken.length > 0);
    return wrong ? [...checked, { name: "output", broken: [output.slice(-4000)] }] : checked;
  }

  #unexpected(kinds: readonly (End | undefined)[]): string[] {
    const ends = kinds.length === 0 ? (["refused"] as const) : kinds.map((kind) => kind ?? "lost");
    const said = this.#helpers.map((helper) => helper.said()).join("");
    return [
      ...ends.filter((end) => !this.#fault.expect.includes(end)).map((end) => `the run ended as ${end}`),
      // A stack trace is a defect of ours, whatever else went wrong.
      ...(/^\s+at .+:\d+:\d+\)?$/m.test(said) ? ["a command printed a stack trace"] : []),
    ];
  }

  /** Waits no longer than that, and then kills what still works. */
  async #bounded(work: Promise<unknown>, what: string, seconds: number = this.#fault.within): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<"late">();
    const timer = setTimeout(() => {
      resolve("late");
    }, seconds * 1000);
    const end = await Promise.race([work, promise]);
    clearTimeout(timer);
    if (end !== "late") return;
    this.#bound.push(`${what} did not end within ${seconds} s`);
    await this.kill();
  }
}

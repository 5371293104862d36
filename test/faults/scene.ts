// One try of one fault: its place, its processes, its end, and what held.
import { setTimeout as sleep } from "node:timers/promises";
import type { LedgerRun } from "../../jobs/ledger/index.ts";
import type { Cluster } from "../../jobs/watch/index.ts";
import { type PostgresServer, startPostgres } from "../ledger/postgres-server.ts";
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
import { counted } from "./list/power-cut.ts";
import { makePlace, type Place } from "./place.ts";
import { type Helper, onMachine, processesWith, send, startHelper } from "./processes.ts";
import type { End, Fault, Scene } from "./types.ts";

export interface Tried {
  readonly seconds: number;
  readonly checked: readonly Checked[];
  readonly ends: readonly End[];
  /** Writes that came through the proxy; renewals of Leases left out. */
  readonly writes: number;
}

/** For one command of the recovery: its own limits are shorter. */
const RECOVERY_SECONDS = 400;
const PASSES = 3;

/** Tries a fault once. @param serial Tells places apart; part of the job's name. */
export async function tryFault(
  fault: Fault,
  serial: number,
  { cluster, certificate, postgres: shared }: SceneTools,
): Promise<Tried> {
  const since = performance.now();
  const own = fault.ledger === "own postgres" ? await postgresServer() : undefined;
  const postgres = fault.ledger === "postgres" ? await shared() : own;
  const place = await makePlace(`fault-${process.pid}-${serial}`, certificate, {
    ledger: await postgres?.database(),
    leaseSeconds: fault.leaseSeconds,
  });
  const stage = new Stage(fault, place, cluster, own);
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
    const ends: End[] =
      runs.length === 0 ? ["not begun"] : runs.map(({ outcome }) => outcome?.kind ?? "lost");
    return {
      seconds: (performance.now() - since) / 1000,
      checked,
      ends,
      writes: counted(place.proxy.writes),
    };
  } finally {
    await stage.kill();
    await place.remove();
    await own?.stop();
  }
}

export interface SceneTools {
  readonly cluster: Cluster;
  readonly certificate: Certificate;
  /** The server that several faults have databases on. */
  readonly postgres: () => Promise<PostgresServer>;
}

/** Starts a server. */
export async function postgresServer(): Promise<PostgresServer> {
  const started = await startPostgres();
  if ("missing" in started) throw new Error(started.missing);
  return started;
}

class Stage implements Scene {
  readonly place: Place;
  readonly cluster: Cluster;
  readonly #fault: Fault;
  readonly #helpers: Helper[] = [];
  readonly #undo: (() => Promise<void>)[] = [];
  readonly #required: string[] = [];
  readonly #bound: string[] = [];
  #late = false;

  readonly #postgres: PostgresServer | undefined;

  constructor(fault: Fault, place: Place, cluster: Cluster, postgres: PostgresServer | undefined) {
    this.#fault = fault;
    this.place = place;
    this.cluster = cluster;
    this.#postgres = postgres;
  }

  postgres = (): PostgresServer => {
    if (this.#postgres === undefined) throw new Error("this fault has no server of its own");
    return this.#postgres;
  };

  job = async (): Promise<string> => await this.place.job(this.#fault.job, this.#fault.seconds);

  start: Scene["start"] = async (env = {}) =>
    this.launch("first", "bin/mayfly", ["run", "--json", await this.job()], env);

  launch: Scene["launch"] = (holder, program, args, env = {}) => {
    const helper = startHelper(program, args, { ...this.place.env(holder), ...env });
    this.#helpers.push(helper);
    return helper;
  };

  mayfly: Scene["mayfly"] = async (...args) => {
    const helper = this.launch("first", "bin/mayfly", args);
    return { ...(await helper.exit), said: helper.said() };
  };

  submit: Scene["submit"] = async (...args) => {
    const { code, said } = await this.mayfly("submit", await this.job(), ...args);
    const run = /^\S+$/m.exec(said)?.[0];
    if (code !== 0 || run === undefined) throw new Error(`not submitted: ${said}`);
    return run;
  };

  worker: Scene["worker"] = (holder, { args = ["--drain", "--slots", "1"], env = {}, machine } = {}) => {
    const command = ["bin/mayfly", ["work", "--json", ...args]] as const;
    const [program, rest] = machine === undefined ? command : onMachine(machine, ...command);
    return this.launch(holder, program, rest, env);
  };

  until: Scene["until"] = async (fits) => {
    for (;;) {
      // A ledger that can't be read just now is part of some faults.
      const [run] = await ledgerRuns(this.place).catch(() => []);
      if (run !== undefined && fits(run)) return run;
      if (this.#late) throw new Error(`the run never came so far: it is ${run?.state ?? "unknown"}`);
      await sleep(100);
    }
  };

  signal: Scene["signal"] = async (holder, name) => {
    for (const { pid } of await processesWith(this.place.markOf(holder))) send(pid, name);
  };

  namespace = (): string => {
    const planned = this.#helpers.flatMap(({ events }) => events).find((event) => event.type === "planned");
    if (planned?.type !== "planned") throw new Error("nothing was planned yet");
    return planned.namespace;
  };

  kill = async (part = ""): Promise<number> => {
    const all = await processesWith(this.place.mark);
    return all.filter(({ pid, command }) => command.includes(part) && send(pid, "SIGKILL")).length;
  };

  afterwards = (undo: () => Promise<void>): void => {
    this.#undo.push(undo);
  };

  require = (holds: boolean, otherwise: string): void => {
    if (!holds) this.#required.push(otherwise);
  };

  /** As a worker does that starts on another day: goes on with what others left, or removes it. */
  recover = async (): Promise<void> => {
    const unfinished = async (): Promise<LedgerRun[]> =>
      (await ledgerRuns(this.place)).filter((row) => !isTerminal(row));
    // What `mayfly destroy` is for: it has no machine's state to go on with.
    const forWorkers = ({ machine }: LedgerRun): boolean => machine !== undefined;
    // One pass each, so more than once where it lost the lease on a machine that is too busy.
    for (let pass = 1; pass <= PASSES && (await unfinished()).some(forWorkers); pass++) {
      await this.#successor("resume");
      // What is tried again waits in the queue.
      if ((await unfinished()).some(forWorkers)) await this.#successor("work", "--drain", "--slots", "1");
    }
    for (const row of await ledgerRuns(this.place))
      if (!isTerminal(row) || row.left.length > 0) await this.#successor("destroy", row.run);
  };

  async #successor(...args: readonly string[]): Promise<void> {
    const connection = ["--connection", this.place.connection("successor"), "--json"];
    const helper = this.launch("successor", "bin/mayfly", [...args, ...connection]);
    await this.#bounded(helper.exit, `mayfly ${args.join(" ")}`, RECOVERY_SECONDS);
  }

  async play(): Promise<void> {
    try {
      await this.#bounded(this.#fault.inject(this), "the fault");
      await this.#bounded(Promise.all(this.#helpers.map(async ({ exit }) => await exit)), "the helper");
    } finally {
      this.place.proxy.spoil(undefined);
      await Promise.all([this.place.proxy.restore(), this.place.s3.restore()]);
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
      checkUpdaters(place.proxy.writes, runs),
      await checkSecrets(place, output, runs),
    ];
    // What people need to find the cause.
    const wrong = checked.some(({ broken }) => broken.length > 0);
    return wrong
      ? [...checked, { name: "output", broken: [output.slice(-4000), place.proxy.log()] }]
      : checked;
  }

  #unexpected(kinds: readonly (End | undefined)[]): string[] {
    const ends = kinds.length === 0 ? (["not begun"] as const) : kinds.map((kind) => kind ?? "lost");
    const said = this.#helpers.map((helper) => helper.said()).join("");
    return [
      ...ends.filter((end) => !this.#fault.expect.includes(end)).map((end) => `the run ended as ${end}`),
      // A stack trace is a defect of ours, whatever else went wrong.
      ...(/(?:^.*\n)?(?:^\s+at .+:\d+:\d+\)?\n)+/m.exec(said) ?? []).map(
        (trace) => `a command printed a stack trace:\n${trace}`,
      ),
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
    this.#late = true;
    const living = (await processesWith(this.place.mark)).map(({ command }) => command.slice(0, 100));
    this.#bound.push([`${what} did not end within ${seconds} s; there lived:`, ...living].join("\n"));
    await this.kill();
  }
}

// A chapter's stream: the commands that are given to it, and what can be seen of it from outside.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { committedKeys } from "../../examples/flink-stream/output.ts";
import { type LedgerRun, openLedger, type Savepoint } from "../../jobs/ledger/index.ts";
import type { Cluster } from "../../jobs/watch/index.ts";
import { labStore } from "../../lab/store.ts";
import { isTerminal, ledgerRuns } from "../faults/invariants.ts";
import { type Helper, processesWith, send, startHelper } from "../faults/processes.ts";
import { kubectl } from "../lab/pods.ts";
import type { FlinkPlace } from "./place.ts";
import { podsOf } from "./pods.ts";
import { outputUrl, type SpecChanges, streamSpec } from "./spec.ts";
import type { FlinkScene } from "./types.ts";

const LOOK_MS = 250;
const WORKER_ENDS_SECONDS = 60;

export class Stage implements FlinkScene {
  readonly place: FlinkPlace;
  readonly cluster: Cluster;
  readonly name: string;
  readonly #spec: SpecChanges;
  #files = 0;
  #helpers: Helper[] = [];
  #undo: (() => Promise<void>)[] = [];
  #required: string[] = [];
  #late = false;

  constructor(place: FlinkPlace, cluster: Cluster, spec: SpecChanges) {
    this.place = place;
    this.cluster = cluster;
    this.name = place.name;
    this.#spec = spec;
  }

  file: FlinkScene["file"] = async (changes = {}) => {
    const folder = join(this.place.state, "specs");
    await mkdir(folder, { recursive: true });
    this.#files += 1;
    const path = join(folder, `${this.#files}.yaml`);
    await writeFile(path, stringify(streamSpec(this.name, { ...this.#spec, ...changes })));
    return path;
  };

  launch: FlinkScene["launch"] = (holder, args, env = {}) => {
    const helper = startHelper("bin/mayfly", args, { ...this.place.env(holder), ...env });
    this.#helpers.push(helper);
    return helper;
  };

  as: FlinkScene["as"] = async (holder, ...args) => {
    const since = performance.now();
    const helper = this.launch(holder, args);
    const ended = await helper.exit;
    return { ...ended, said: helper.said(), seconds: (performance.now() - since) / 1000 };
  };

  mayfly: FlinkScene["mayfly"] = async (...args) => await this.as("first", ...args);

  kill: FlinkScene["kill"] = async (holder) => {
    for (const { pid } of await processesWith(this.place.markOf(holder))) send(pid, "SIGKILL");
  };

  worker: FlinkScene["worker"] = async () => {
    const helper = this.launch("successor", ["work", "--json"]);
    // It has nothing to say before it finds a run; a command takes a second to start.
    await sleep(1500);
    return async () => {
      send(helper.pid, "SIGTERM");
      const timer = setTimeout(() => send(helper.pid, "SIGKILL"), WORKER_ENDS_SECONDS * 1000);
      await helper.exit;
      clearTimeout(timer);
    };
  };

  runs: FlinkScene["runs"] = async () =>
    (await ledgerRuns(this.place)).toSorted((a, b) => a.submittedAt.localeCompare(b.submittedAt));

  savepoints: FlinkScene["savepoints"] = async (): Promise<readonly Savepoint[]> => {
    const ledger = await openLedger(this.place.ledger);
    try {
      return await ledger.savepoints({ job: this.name, deleted: true });
    } finally {
      await ledger.close();
    }
  };

  live: FlinkScene["live"] = async () => {
    const live = await this.#live();
    if (live === undefined) throw new Error("the stream has no live run");
    return live;
  };

  pods: FlinkScene["pods"] = async () => {
    const { run, namespace } = await this.live();
    return await podsOf(namespace ?? run);
  };

  inPod: FlinkScene["inPod"] = async (pod, line) => {
    const { run, namespace } = await this.live();
    await kubectl(["exec", "--namespace", namespace ?? run, pod, "--", "sh", "-c", line]);
  };

  until: FlinkScene["until"] = async (what, seconds, look) => {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.#late || performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
      await sleep(LOOK_MS);
    }
  };

  grows: FlinkScene["grows"] = async (seconds = 90) => {
    const since = performance.now();
    const store = await labStore();
    const committed = async (): Promise<number> => (await committedKeys(store, outputUrl(this.name))).length;
    const before = await committed();
    await this.until("the stream commits more", seconds, async () =>
      (await committed()) > before ? true : undefined,
    );
    return (performance.now() - since) / 1000;
  };

  running: FlinkScene["running"] = async () => {
    const live = await this.#live();
    if (live !== undefined) return live;
    const last = await this.#last();
    const command = last?.outcome?.kind === "suspended" ? ["resume", this.name] : ["run", await this.file()];
    const { code, said } = await this.mayfly(...command, "--json");
    if (code !== 0)
      throw new Error(`mayfly ${command.join(" ")} ended with ${code ?? "none"}: ${said.slice(-3000)}`);
    return await this.live();
  };

  suspended: FlinkScene["suspended"] = async () => {
    if ((await this.#live()) === undefined && !(await this.#isSuspended())) await this.running();
    const live = await this.#live();
    if (live !== undefined) {
      const { code, said } = await this.mayfly("suspend", this.name, "--json");
      if (code !== 0) throw new Error(`mayfly suspend ended with ${code ?? "none"}: ${said.slice(-3000)}`);
    }
    const last = await this.#last();
    if (last?.outcome?.kind !== "suspended") throw new Error(`the stream is ${last?.state ?? "nowhere"}`);
    return last;
  };

  afterwards: FlinkScene["afterwards"] = (undo) => {
    this.#undo.push(undo);
  };

  require: FlinkScene["require"] = (holds, otherwise) => {
    if (!holds) this.#required.push(otherwise);
  };

  code: FlinkScene["code"] = ({ code, said }, wanted) => {
    const codes = typeof wanted === "number" ? [wanted] : wanted;
    this.require(
      code !== null && codes.includes(code),
      `exit code ${code ?? "none"} in place of ${codes.join(" or ")}:\n${said.slice(-2000)}`,
    );
  };

  async #live(): Promise<LedgerRun | undefined> {
    return (await this.runs()).find((run) => !isTerminal(run));
  }

  async #last(): Promise<LedgerRun | undefined> {
    return (await this.runs()).at(-1);
  }

  async #isSuspended(): Promise<boolean> {
    return (await this.#last())?.outcome?.kind === "suspended";
  }

  /** All that was printed since the last call, and what {@link require} found broken. */
  async ended(): Promise<{ readonly said: string; readonly required: readonly string[] }> {
    for (const undo of this.#undo.splice(0)) await undo();
    await this.place.s3Back();
    this.place.proxy.spoil(undefined);
    await this.place.proxy.restore();
    const said = this.#helpers.map((helper) => helper.said()).join("\n");
    const required = this.#required;
    this.#helpers = [];
    this.#required = [];
    this.#late = false;
    return { said, required };
  }

  /** Ends everything that waits, and all processes of the place. */
  async stop(): Promise<void> {
    this.#late = true;
    for (const { pid } of await processesWith(this.place.mark)) send(pid, "SIGKILL");
  }

  /** Removes the live run and its state, whatever it is in. @returns What could not be removed. */
  async clear(): Promise<string> {
    const run = await this.#live();
    if (run === undefined) return "";
    const said: string[] = [];
    const cancelled = await this.mayfly("cancel", run.run, "--discard-state", "--json");
    said.push(cancelled.said);
    // A cancel is a wish: somebody has to carry it out.
    for (const command of [["resume"], ["work", "--drain", "--slots", "1"]]) {
      if ((await this.#live()) === undefined) return "";
      said.push((await this.as("successor", ...command, "--json")).said);
    }
    const live = await this.#live();
    if (live !== undefined)
      said.push((await this.as("successor", "destroy", live.run, "--discard-state")).said);
    return (await this.#live()) === undefined ? "" : said.join("\n").slice(-3000);
  }
}

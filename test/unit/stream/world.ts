// A world for streams: a real ledger, and a cluster, a Flink and an S3 that are made up.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { UserError } from "../../../base/errors.ts";
import { type Ledger, openLedger, type RunPatch } from "../../../jobs/ledger/index.ts";
import { planRun } from "../../../jobs/plan/index.ts";
import type { Answered, Asked } from "../../../jobs/run/stream.ts";
import { type FoundStream, findStream } from "../../../jobs/stream/find.ts";
import type { StreamPorts } from "../../../jobs/stream/types.ts";
import type { FlinkStreamJob } from "../../../schema/job.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import { CONTRACTS } from "../../harness/samples.ts";
import { clicks, clicksV2 } from "./clicks.ts";

export { clicks, clicksV2 };

export const NOW = Date.UTC(2026, 10, 24, 12);

const FAILED: Outcome = { kind: "user-failure", exitCode: 1, message: "There is no class com.acme.Clicks." };

/** How a run of the given jar goes. */
type Fate = "healthy" | Outcome;

export class World {
  readonly ledger: Ledger;
  /** What was asked of the outside, in order. */
  readonly calls: string[] = [];
  readonly notes: string[] = [];
  /** What is in S3. */
  readonly files = new Set<string>();
  /** By jar. */
  readonly fates = new Map<string, Fate>();
  /** Why a savepoint can't be had. */
  savepointFails: string | undefined;
  /** Nobody answers in time. */
  savepointLate = false;
  rescaleFails: string | undefined;
  checkFails: UserError | undefined;
  /** The newest retained checkpoint of any run. */
  checkpoint: { readonly location: string; readonly at: Date } | undefined;
  /** A live run that nobody works on, and what it becomes. */
  orphan: RunPatch | undefined;
  #runs = 0;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  async find(name: string, tenant?: string): Promise<FoundStream> {
    return await findStream(this.ledger, name, tenant);
  }

  readonly ports = (): StreamPorts => ({
    ledger: this.ledger,
    now: () => NOW,
    note: (line) => {
      this.notes.push(line);
    },
    check: async (spec) => {
      this.calls.push(`check ${spec.application.file}`);
      await Promise.resolve();
      if (this.checkFails !== undefined) throw this.checkFails;
      return { version: spec.version };
    },
    start: async (spec, { from, key, signal }) => {
      this.calls.push(`start ${spec.application.file} from ${from?.location ?? "nothing"}`);
      const run = `clicks-${++this.#runs}`;
      const origin =
        from === undefined
          ? spec
          : {
              ...spec,
              from: { savepoint: from.location, allowNonRestoredState: from.allowNonRestoredState },
            };
      const { created, run: made } = await this.ledger.submit(
        {
          run,
          key,
          spec: origin,
          environment: "lab",
          connection: "/lab/connection.json",
          holder: "helper-1",
          // In order of their numbers.
          submittedAt: new Date(NOW + this.#runs * 1000).toISOString(),
        },
        { exclusive: true },
      );
      if (!created) return { kind: "existing", run: made };
      const planned = planRun(origin, CONTRACTS.lab, { run, attempt: 1, restore: from });
      if (!planned.ok) throw new Error(planned.refusal.message);
      await this.#patch(run, { plan: planned.plan, attempt: 1 });
      const fate = this.fates.get(spec.application.file) ?? "healthy";
      if (fate === "healthy" && signal?.aborted !== true) {
        await this.healthy(run);
        return { kind: "running", run };
      }
      const outcome: Outcome =
        fate === "healthy" ? { kind: "cancelled", message: "The run was cancelled." } : fate;
      await this.end(run, "failed", outcome);
      return { kind: "ended", run, outcome, report: undefined, left: [] };
    },
    carryOut: async (run, asked) => {
      this.calls.push(`${asked.kind} ${run}`);
      return await this.#carryOut(run, asked);
    },
    bringOn: async ({ run }) => {
      if (this.orphan === undefined) return undefined;
      this.calls.push(`bring on ${run}`);
      await this.#patch(run, this.orphan);
      return await this.ledger.get(run);
    },
    state: {
      check: async (location) => {
        await Promise.resolve();
        if (!this.files.has(location))
          throw new UserError("savepoint-missing", "There is no savepoint.", { path: location });
        return { location, kind: "savepoint", at: new Date(NOW) };
      },
      newest: async () =>
        await Promise.resolve(
          this.checkpoint === undefined ? undefined : { ...this.checkpoint, kind: "checkpoint" as const },
        ),
      remove: async (location) => {
        this.calls.push(`remove ${location}`);
        return await Promise.resolve(this.files.delete(location) ? 1 : 0);
      },
    },
  });

  /** A run of the stream that is healthy. */
  async running(spec: FlinkStreamJob = clicks): Promise<string> {
    const started = await this.ports().start(spec, {});
    if (started.kind !== "running") throw new Error("it was to be healthy");
    this.calls.length = 0;
    return started.run;
  }

  async healthy(run: string): Promise<void> {
    const at = new Date(NOW).toISOString();
    await this.ledger.append(run, [
      { type: "phase", at, run, attempt: 1, phase: "running", elapsedSeconds: 9 },
    ]);
    await this.#patch(run, { state: "running", phase: "running" });
  }

  async end(run: string, state: "failed" | "cancelled" | "suspended", outcome: Outcome): Promise<void> {
    await this.#patch(run, { state, outcome, endedAt: new Date(NOW).toISOString() });
  }

  /** Notes a savepoint of a run that is there. */
  async savepoint(run: string, at = NOW, reason: "suspend" | "asked" = "asked"): Promise<string> {
    const location = `s3://demo-output/state/clicks/savepoints/savepoint-${run.slice(-6)}-${at}`;
    this.files.add(location);
    await this.ledger.recordSavepoint({
      ...{ location, run, tenant: "demo", job: "clicks", environment: "lab", attempt: 1 },
      ...{ kind: "savepoint", reason, flinkVersion: "2.3.0", format: "native" },
      at: new Date(at).toISOString(),
    });
    return location;
  }

  async #carryOut(run: string, asked: Asked): Promise<Answered> {
    const failed = asked.kind === "rescale" ? this.rescaleFails : this.savepointFails;
    const base = { run, left: [], savepoint: undefined };
    if (asked.kind === "suspend" && asked.lastState !== undefined) {
      const outcome: Outcome = {
        kind: "suspended",
        savepoint: asked.lastState,
        message: "It was suspended.",
      };
      this.files.add(asked.lastState);
      await this.ledger.recordSavepoint({
        ...{ location: asked.lastState, run, tenant: "demo", job: "clicks", environment: "lab", attempt: 1 },
        ...{ kind: "checkpoint", reason: "suspend", flinkVersion: "2.3.0", format: "native" },
        at: new Date(NOW).toISOString(),
      });
      await this.end(run, "suspended", outcome);
      return { ...base, ok: true, message: "", savepoint: asked.lastState };
    }
    if (this.savepointLate) throw new UserError("not-answered", "It is not done yet.");
    if (failed !== undefined) return { ...base, ok: false, message: failed };
    switch (asked.kind) {
      case "rescale":
        return { ...base, ok: true, message: `It runs on ${asked.taskManagers}.` };
      case "savepoint":
        return { ...base, ok: true, message: "", savepoint: await this.savepoint(run) };
      case "suspend": {
        const savepoint = await this.savepoint(run, NOW, "suspend");
        await this.end(run, "suspended", { kind: "suspended", savepoint, message: "It was suspended." });
        return { ...base, ok: true, message: "", savepoint };
      }
    }
  }

  async #patch(run: string, patch: RunPatch): Promise<void> {
    await this.ledger.update(run, (await this.ledger.get(run)).version, patch);
  }
}

const closing: (() => Promise<void>)[] = [];

/** A new world; it is gone after the test. */
export async function newWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), "mayfly-stream-"));
  const ledger = await openLedger(`sqlite://${folder}/ledger.sqlite`);
  closing.push(async () => {
    await ledger.close();
    await rm(folder, { recursive: true, force: true });
  });
  return new World(ledger);
}

afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Makes version 2 never become healthy. */
export const neverHealthy = (world: World): void => {
  world.fates.set(clicksV2.application.file, FAILED);
};

export async function refusal(promise: Promise<unknown>): Promise<UserError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
}

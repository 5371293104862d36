// Streams from the process of whoever asks: a ledger of its own, and a made-up outside.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Ledger, openLedger } from "../../../jobs/ledger/index.ts";
import { carryOut, type StreamTools, startStream } from "../../../jobs/run/stream.ts";
import { streamRun } from "../../../jobs/stream/find.ts";
import { portsOf } from "../../../jobs/stream/ports.ts";
import { queuedState, writeState } from "../../../jobs/work/state.ts";
import type { RunEvent } from "../../../schema/events.ts";
import { contract, stream } from "../plan/flink-sample.ts";
import { type FakeFlink, type FlinkScene, fakeFlink } from "../work/flink.ts";
import { environmentOf, type FakeTools, fakeTools, type Scenario } from "./fakes.ts";

let folder: string;
let ledger: Ledger;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "mayfly-streams-"));
  ledger = await openLedger(`sqlite://${join(folder, "ledger.sqlite")}`);
});
afterEach(async () => {
  await ledger.close();
  await rm(folder, { recursive: true });
});

const spec = stream({ retries: { infrastructure: 1 }, taskManagers: { count: 2, slots: 1 } });

interface Outside {
  readonly flink: FakeFlink;
  readonly fake: FakeTools;
  readonly tools: StreamTools;
}

function outside(scene: FlinkScene = {}, scenario: Scenario = {}): Outside {
  const flink = fakeFlink(scene);
  const fake = fakeTools({ ...scenario, flink });
  const tools: StreamTools = {
    ...fake,
    environment: environmentOf(contract()),
    ledger,
    orphans: {
      find: async (rows) =>
        await Promise.resolve({ orphans: rows.filter(({ holder }) => holder === undefined), undecided: 0 }),
    },
  };
  return { flink, fake, tools };
}

async function started(tools: StreamTools): Promise<string> {
  const result = await startStream(spec, tools);
  expect(result.kind).toBe("running");
  return result.run;
}

describe("bringing on a stream that waits in the queue", () => {
  test("ends when it is healthy, and leaves it without a holder", async () => {
    const { tools } = outside();
    const run = "clicks-11240600-x7k2p";
    await ledger.submit({
      run,
      spec,
      environment: tools.environment.contract.name,
      connection: tools.environment.path,
      machine: writeState(queuedState(run, spec)),
    });
    const row = await portsOf(tools, () => undefined).bringOn(streamRun(await ledger.get(run)), {});
    expect(row).toMatchObject({ state: "running", holder: undefined });
  });
});

describe("starting a stream", () => {
  test("ends when all its tasks run: nobody holds it then, and nothing of it is removed", async () => {
    const { tools, fake } = outside();
    const run = await started(tools);
    expect(await ledger.get(run)).toMatchObject({ state: "running", holder: undefined });
    expect(fake.calls.at(-1)).toBe("lease given back");
    expect(fake.calls.some((call) => call.startsWith("destroy"))).toBe(false);
  });

  test("is refused while the job has a live run", async () => {
    const { tools } = outside();
    await started(tools);
    await expect(startStream(spec, tools)).rejects.toMatchObject({ code: "stream-is-live" });
  });

  test("whose savepoint is not there is refused before anything is recorded", async () => {
    const { tools } = outside();
    const from = {
      location: "s3://acme-data/state/savepoint-9",
      kind: "savepoint" as const,
      allowNonRestoredState: false,
    };
    await expect(startStream(spec, tools, { from })).rejects.toMatchObject({ code: "savepoint-missing" });
    expect(await ledger.list()).toEqual([]);
  });

  test("is cancelled by whoever started it while it is not healthy: all of it is removed", async () => {
    const { tools, fake } = outside({ unhealthy: true });
    const stop = new AbortController();
    const onEvent = ({ type }: RunEvent): void => {
      if (type === "resource") stop.abort();
    };
    await expect(startStream(spec, tools, { signal: stop.signal, onEvent })).resolves.toMatchObject({
      kind: "ended",
      outcome: { kind: "cancelled" },
      left: [],
    });
    expect(fake.calls.some((call) => call.startsWith("destroy"))).toBe(true);
  });

  test("with a key that made a run before tells of that one", async () => {
    const { tools } = outside();
    const first = await startStream(spec, tools, { key: "resumed/nightly-orders-1" });
    await expect(startStream(spec, tools, { key: "resumed/nightly-orders-1" })).resolves.toEqual({
      kind: "existing",
      run: first.run,
    });
  });
});

describe("asking something of a stream that nobody holds", () => {
  test("is done here: a suspend ends the run, with its state told", async () => {
    const { tools } = outside();
    const run = await started(tools);
    const answer = await carryOut(run, { kind: "suspend" }, tools);
    const [saved] = await ledger.savepoints({ run });
    expect(answer).toMatchObject({ ok: true, savepoint: saved?.location, left: [] });
    expect(await ledger.get(run)).toMatchObject({ state: "suspended", wish: undefined });
  });

  test("a savepoint leaves it as it was, and free again", async () => {
    const { tools } = outside();
    const run = await started(tools);
    const answer = await carryOut(run, { kind: "savepoint" }, tools);
    expect(answer).toMatchObject({ ok: true });
    expect(await ledger.get(run)).toMatchObject({ state: "running", holder: undefined, wish: undefined });
  });

  test("that can't be done is told, and the stream goes on", async () => {
    const { tools } = outside({ savepoints: [new Error("S3 does not answer")] });
    const run = await started(tools);
    const answer = await carryOut(run, { kind: "suspend" }, tools);
    expect(answer.ok).toBe(false);
    expect(answer.message).toContain("S3 does not answer");
    expect(await ledger.get(run)).toMatchObject({ state: "running", holder: undefined, wish: undefined });
  });

  test("that has ended is refused", async () => {
    const { tools } = outside();
    const run = await started(tools);
    await carryOut(run, { kind: "suspend" }, tools);
    await expect(carryOut(run, { kind: "suspend" }, tools)).rejects.toMatchObject({ code: "run-finished" });
  });
});

test("a stream that another helper holds is asked by the ledger: what it answers is told, with its events", async () => {
  const { tools } = outside();
  const run = await started(tools);
  const { version } = await ledger.get(run);
  await ledger.update(run, version, { holder: "helper-2/43/9" });
  const seen: RunEvent[] = [];
  const asking = carryOut(run, { kind: "savepoint" }, tools, { onEvent: (event) => seen.push(event) });
  const location = "s3://acme-data/state/nightly-orders/savepoints/savepoint-4a5b6c-0123456789ab";
  for (;;) {
    const { wish, version: now } = await ledger.get(run);
    if (wish === undefined) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const answer = { wish: wish.id, kind: wish.kind, ok: true, message: "saved", savepoint: location };
    await ledger.append(run, [{ type: "answer", at: new Date().toISOString(), run, ...answer }]);
    await ledger.update(run, now, { wish: undefined });
    break;
  }
  await expect(asking).resolves.toMatchObject({ ok: true, savepoint: location });
  expect(seen.map(({ type }) => type)).toEqual(["answer"]);
});

test("what is not done in time stands, and is said", async () => {
  const { tools } = outside();
  const run = await started(tools);
  const { version } = await ledger.get(run);
  await ledger.update(run, version, { holder: "helper-2/43/9" });
  await expect(carryOut(run, { kind: "suspend" }, tools, { timeoutSeconds: 0.2 })).rejects.toMatchObject({
    code: "not-answered",
    exitCode: 75,
  });
  expect((await ledger.get(run)).wish).toMatchObject({ kind: "suspend" });
});

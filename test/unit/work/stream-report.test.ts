import { describe, expect, it } from "vitest";
import type { StreamSample } from "../../../jobs/flink/index.ts";
import type { BareEvent } from "../../../jobs/run/journal.ts";
import { StreamTeller } from "../../../jobs/work/stream-report.ts";
import { flinkPlans } from "../../harness/samples.ts";

const START = Date.parse("2026-11-24T06:00:00Z");
const plan = flinkPlans()["flink-stream"];

const sample = (second: number, state: StreamSample["state"] = "RUNNING"): StreamSample => ({
  at: START + second * 1000,
  state,
  uptimeMs: second * 1000,
  restarts: 0,
  checkpoints: {
    completed: 1,
    failed: 0,
    lastBytes: 1,
    lastDurationMs: 1,
    lastAt: START + second * 1000,
    lastId: 1,
  },
  recordsIn: second * 200,
  recordsOut: second * 200,
  pendingRecords: undefined,
  lagMs: undefined,
  parallelism: 4,
});

function teller() {
  const told: BareEvent[] = [];
  const warned: string[] = [];
  const journal = {
    emit: (event: BareEvent) => {
      told.push(event);
    },
    warn: (message: string) => {
      warned.push(message);
    },
  };
  const times = (): (string | undefined)[] =>
    told.map((event) => (event.type === "stream" ? event.stream.at : event.type));
  return { teller: new StreamTeller(plan, undefined, journal), warned, times };
}

describe("what the ledger is told of a live stream", () => {
  it("is its first sample, one an hour, and the last where that is news", () => {
    const { teller: tell, times } = teller();
    tell.sampled([sample(60)]);
    tell.sampled([sample(60), sample(65)]);
    tell.sampled([sample(60), sample(3660)]);
    tell.sampled([sample(60), sample(3700)]);
    tell.ends();
    expect(times()).toEqual([
      "2026-11-24T06:01:00.000Z",
      "2026-11-24T07:01:00.000Z",
      "2026-11-24T07:01:40.000Z",
    ]);
    tell.ends();
    expect(times()).toHaveLength(3);
  });

  it("is nothing of one that nobody had a look at", () => {
    const { teller: tell, times } = teller();
    tell.ends();
    expect(times()).toEqual([]);
  });

  it("has a warning where the stream is not well", () => {
    const { teller: tell, warned } = teller();
    tell.sampled([sample(0), sample(400, "RESTARTING"), sample(720, "RESTARTING")]);
    expect(warned).toEqual(["The stream is not well: Flink's job has not run for 12 min: it is RESTARTING."]);
  });
});

import { expect, test } from "vitest";
import { KINDS } from "../../bench/many/groups.ts";
import { type Reading, spentBetween } from "../../bench/many/meter.ts";
import { failuresOf } from "../../bench/many/throughput.ts";
import { percentile } from "../../bench/statistics.ts";

const reading = (at: number, used: number): Reading => ({
  at,
  kinds: new Map(KINDS.map((kind) => [kind, used])),
  worker: used / 2,
  cluster: new Map([["API server, etcd", used]]),
  machine: used * 2,
  requests: used * 10,
});

test("what is spent is the difference of two readings, less the cluster's idle share for as long", () => {
  const idle = spentBetween(reading(0, 0), reading(5, 1));
  expect(idle).toMatchObject({ seconds: 5, requests: 10, cluster: { "API server, etcd": 1 } });
  const spent = spentBetween(reading(10, 3), reading(60, 43), idle);
  // 40 s of CPU in 50 s, of which 10 s would have been spent anyway.
  expect(spent).toMatchObject({ seconds: 50, worker: 20, machine: 80, cluster: { "API server, etcd": 30 } });
  expect(spent.requests).toBe(300);
  // Nothing of Mayfly's runs in the idle time: its own processes are counted whole.
  expect(spent.kinds).toEqual({ mayfly: 40, cli: 40, plugin: 40, kubectl: 40 });
});

test("a run without a report, with another outcome, or with something left is a failure", () => {
  const told = { claimed: 0, objectsExist: 1, result: 2, gone: 3, outcome: "succeeded", left: [] };
  const runs = [
    { ...told, run: "nightly-1" },
    { ...told, run: "nightly-2", outcome: "infrastructure" },
    { ...told, run: "nightly-3", left: ["Namespace acme-nightly-3"] },
  ];
  expect(failuresOf(["nightly-1", "nightly-2", "nightly-3", "nightly-4"], runs)).toEqual([
    "nightly-2: infrastructure",
    "nightly-3: left Namespace acme-nightly-3",
    "nightly-4: no report",
  ]);
});

test("a percentile is the nearest rank, and nothing of nothing", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([percentile(hundred, 0.5), percentile(hundred, 0.99), percentile([7], 0.99)]).toEqual([50, 99, 7]);
  expect(percentile([], 0.5)).toBeNaN();
});

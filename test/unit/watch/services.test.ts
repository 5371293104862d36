import { describe, expect, test } from "vitest";
import { announcer } from "../../../jobs/watch/announce.ts";
import type { Observation } from "../../../jobs/watch/observe.ts";
import { podView } from "../../../jobs/watch/views.ts";
import { at, ended, event, judged, observe, plan, running, sawPod, underWay } from "./scenario.ts";

interface ServicePod {
  readonly node?: string | null;
  readonly container?: object;
}

const sawService = (second: number, { node = "node-1", container = {} }: ServicePod = {}): Observation => ({
  type: "pod",
  at: at(second),
  pod: podView({
    metadata: {
      name: "scoring-6c9f-x2k4d",
      uid: "uid-scoring",
      resourceVersion: String(second * 1000),
      creationTimestamp: "2026-11-24T06:00:02Z",
      labels: { ...plan.labels, "mayfly.dev/role": "service-scoring" },
    },
    spec: node === null ? {} : { nodeName: node },
    status: {
      phase: "Running",
      conditions:
        node === null
          ? [
              {
                type: "PodScheduled",
                status: "False",
                message: "0/1 nodes are available: 1 Insufficient cpu.",
              },
            ]
          : [],
      containerStatuses: [
        {
          name: "service",
          image: "registry.example/scoring:1",
          ready: false,
          restartCount: 0,
          state: running(),
          ...container,
        },
      ],
    },
  }),
});

const crashing = (restarts: number) => ({
  container: {
    restartCount: restarts,
    lastState: ended(1),
    state: { waiting: { reason: "CrashLoopBackOff" } },
  },
});
const noImage = {
  container: { state: { waiting: { reason: "ErrImageNeverPull", message: "not present" } } },
};

/** What people are told of these facts. */
function told(facts: readonly Observation[]): string[] {
  const warnings: string[] = [];
  const announce = announcer(plan, { warning: (text) => warnings.push(text) });
  facts.forEach((fact, index) => {
    announce(observe(facts.slice(0, index + 1)), fact);
  });
  return warnings;
}

describe("a service's pod", () => {
  test.each([
    ["ends again and again", sawService(10, crashing(40))],
    ["ended with 0", sawService(10, { container: { state: ended(0) } })],
    ["can't have its image", sawService(10, noImage)],
    ["finds no node", sawService(10, { node: null })],
  ])("that %s does not end the run, not even after its deadlines", (_, fact) => {
    expect(judged([...underWay(), fact], 500)).toBeUndefined();
  });

  test("is not counted where all pods of the run are awaited", () => {
    const coordinator = sawPod(4, "coordinator", { state: { master: running() } });
    const worker = sawPod(5, "worker", { state: { worker: running() } });
    expect(observe([coordinator, worker, sawService(6)]).completeSeenAt).toBeUndefined();
    expect(observe(underWay()).completeSeenAt).toBe(at(4));
  });

  test("that a quota refuses is no refusal of the run", () => {
    const refused = event(
      6,
      "FailedCreate",
      'pods "scoring-1" is forbidden: exceeded quota: quota, requested: pods=1, used: pods=3, limited: pods=3',
      {
        kind: "ReplicaSet",
        name: "scoring-6c9f",
      },
    );
    expect(judged([...underWay(), refused], 100)).toBeUndefined();
  });

  test("that was started again is told once, and once more when it does not come right", () => {
    expect(
      told([...underWay(), ...[1, 2, 5, 6].map((count) => sawService(10 + count, crashing(count)))]),
    ).toEqual([
      "Service pod scoring-6c9f-x2k4d ended with exit code 1 and was started again; the run goes on.",
      "Service pod scoring-6c9f-x2k4d has ended 5 times, last with exit code 1; the run goes on.",
    ]);
  });

  test("without a node or an image is told with the reason", () => {
    expect(told([sawService(10, { node: null })])).toEqual([
      "Service pod scoring-6c9f-x2k4d has no node: it needs free CPU; the run goes on.",
    ]);
    expect(told([sawService(10, noImage)])).toEqual([
      "Service pod scoring-6c9f-x2k4d can't pull image registry.example/scoring:1 (ErrImageNeverPull); the run goes on.",
    ]);
  });
});

describe("an autoscaler", () => {
  const complaint = (count: number) =>
    event(10 + count, "FailedGetResourceMetric", "failed to get cpu utilization: no metrics returned", {
      kind: "HorizontalPodAutoscaler",
      name: "scoring",
      count,
    });

  test("that has no metrics at first is not told, one that never gets any is, once", () => {
    expect(told([complaint(1), complaint(7)])).toEqual([]);
    expect(told([complaint(8), complaint(9)])).toEqual([
      "Service scoring is not scaled, for its metric can't be had: failed to get cpu utilization: no metrics returned",
    ]);
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { announcer } from "../../../jobs/watch/announce.ts";
import { blameWorkers } from "../../../jobs/watch/flink-rules.ts";
import type { Observation, ObservedRun } from "../../../jobs/watch/observe.ts";
import { nothingObserved, reduce } from "../../../jobs/watch/reduce.ts";
import { verdict } from "../../../jobs/watch/verdict.ts";
import { podView } from "../../../jobs/watch/views.ts";
import type { Outcome } from "../../../schema/outcome.ts";
import type { FlinkPlan } from "../../../schema/plan.ts";
import { containing } from "../../harness/expect.ts";
import { flinkPlans } from "../../harness/samples.ts";

// A batch job on Flink 2.3.0 whose two TaskManagers were deleted by force: pods before, after, and once the job had failed by it.
const sample = (name: string): string =>
  readFileSync(new URL(`samples/flink-taskmanagers-deleted.${name}`, import.meta.url), "utf8");

const Recorded = z.looseObject({
  metadata: z.looseObject({ name: z.string(), uid: z.string() }),
  status: z.looseObject({ containerStatuses: z.array(z.looseObject({})) }),
});
type Recorded = z.infer<typeof Recorded>;
const recording = z
  .strictObject({ before: z.array(Recorded), after: z.array(Recorded), end: z.array(Recorded) })
  .parse(JSON.parse(sample("json")));

const START = Date.parse("2026-11-24T15:33:38Z");
const at = (second: number): number => START + second * 1000;
const batch = flinkPlans()["flink-wordcount"];
const stream = flinkPlans()["flink-stream"];

const saw = (second: number, pod: unknown): Observation => ({
  type: "pod",
  at: at(second),
  pod: podView(pod),
});

const find = (when: keyof typeof recording, name: string): Recorded => {
  const pod = recording[when].find(({ metadata }) => metadata.name.startsWith(name));
  if (pod === undefined) throw new Error(`no pod ${name} was recorded`);
  return pod;
};

const underWay: readonly Observation[] = [
  ...recording.before.map((pod) => saw(5, pod)),
  { type: "driver-line", at: at(6), index: 0, line: "15:33:45.000 INFO ClusterEntrypoint: Starting" },
];

let version = 900_000_000;
/** A recorded pod whose container is in another state. */
const changed = (name: string, status: object, pod: object = {}): unknown => {
  const of = find("before", name);
  return {
    ...of,
    metadata: { ...of.metadata, resourceVersion: String(version++) },
    status: {
      ...of.status,
      containerStatuses: of.status.containerStatuses.map((container) => ({ ...container, ...status })),
      ...pod,
    },
  };
};

const terminated = (exitCode: number, reason = "Error"): object => ({
  terminated: {
    exitCode,
    reason,
    startedAt: "2026-11-24T15:33:41Z",
    finishedAt: "2026-11-24T15:36:42Z",
  },
});

const ended = (name: string, exitCode: number, reason?: string): Observation =>
  saw(60, changed(name, { ready: false, state: terminated(exitCode, reason) }, { phase: "Failed" }));

/** Kubernetes has started the container again. */
const restarted = (name: string, exitCode: number, reason?: string, restartCount = 1): Observation =>
  saw(60, changed(name, { restartCount, lastState: terminated(exitCode, reason) }));

const lines = (text: string): Observation[] =>
  text.split("\n").map((line, index) => ({ type: "driver-line", at: at(59), index: index + 1, line }));

const failed = (exception: string): Observation[] =>
  lines(`15:36:42.055 INFO PackagedProgramApplication: Application FAILED: 
java.util.concurrent.CompletionException: org.apache.flink.client.deployment.application.UnsuccessfulExecutionException: Job Status: FAILED
Caused by: ${exception}`);

const observe = (facts: readonly Observation[]): ObservedRun =>
  facts.reduce<ObservedRun>((known, fact) => reduce(known, fact, 3), nothingObserved);

const judged = (facts: readonly Observation[], plan: FlinkPlan = batch, second = 90): Outcome | undefined =>
  verdict(observe([...underWay, ...facts]), plan, START, at(second));

const deleted: readonly Observation[] = [
  { type: "pod-gone", at: at(140), uid: find("before", "worker-0").metadata.uid },
  { type: "pod-gone", at: at(140), uid: find("before", "worker-1").metadata.uid },
  ...recording.after.map((pod) => saw(142, pod)),
];

const usage = (pod: string, container: string, memoryMib: number): Observation => ({
  type: "usage",
  at: at(50),
  samples: [{ pod: find("before", pod).metadata.name, container, at: at(50), cpuSeconds: 9, memoryMib }],
});

describe("a batch job of Flink", () => {
  it("is tried again, as no fault of its own, when it failed by lost TaskManagers (recorded on Flink 2.3.0)", () => {
    const end = saw(184, { ...find("end", "coordinator"), metadata: find("before", "coordinator").metadata });
    const facts = [...deleted, ...lines(sample("log")), end];
    expect(judged([...deleted], batch, 183)).toBeUndefined();
    expect(judged(facts, batch, 190)).toEqual({
      kind: "infrastructure",
      message:
        "TaskManager worker-1 was lost: its pod was deleted. By its restart strategy the job failed with it: " +
        "java.util.concurrent.TimeoutException: The heartbeat of TaskManager with id worker-1 timed out.",
    });
  });

  it.each([
    "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id worker-1 is no longer reachable.",
    "org.apache.flink.runtime.io.network.netty.exception.RemoteTransportException: Connection unexpectedly closed by remote task manager '10.244.0.22/10.244.0.22:6121'. This might indicate that the remote task manager was lost.",
    "org.apache.flink.util.FlinkException: A registered TaskManager worker-1 re-registered with a new session id. This indicates a restart of the TaskManager. Closing the old connection.",
    "org.apache.flink.runtime.jobmanager.scheduler.NoResourceAvailableException: Could not acquire the minimum required resources.",
  ])("is so whatever Flink's words for the loss are: %s", (exception) => {
    const facts = [restarted("worker-1", 137), ...failed(exception), ended("coordinator", 163)];
    expect(judged(facts)).toMatchObject({
      kind: "infrastructure",
      message: containing("TaskManager worker-1 was lost: it was killed (exit code 137, SIGKILL)"),
    });
  });

  it("is the user's failure when it failed by its own exception, though a TaskManager was lost before", () => {
    const facts = [
      ...deleted,
      ...failed("java.lang.IllegalStateException: the month has no day 31"),
      ended("coordinator", 163),
    ];
    expect(judged(facts)).toEqual({
      kind: "user-failure",
      exitCode: 163,
      exception: "java.lang.IllegalStateException: the month has no day 31",
      message:
        "The JobManager ended with exit code 163: java.lang.IllegalStateException: the month has no day 31.",
    });
  });

  it("is the user's failure when a TaskManager ended by itself, whose code is told", () => {
    const lost =
      "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id worker-0 is no longer reachable.";
    const facts = [restarted("worker-0", 42), ...failed(lost), ended("coordinator", 163)];
    expect(judged(facts)).toMatchObject({
      kind: "user-failure",
      message: containing("TaskManager worker-0 was lost: it ended with exit code 42."),
    });
  });

  it("is the user's failure when no TaskManager is known to be lost: a long pause is no loss", () => {
    const silent =
      "java.util.concurrent.TimeoutException: The heartbeat of TaskManager with id worker-1 timed out.";
    expect(judged([...failed(silent), ended("coordinator", 163)])).toMatchObject({ kind: "user-failure" });
  });

  it.each([
    ["the kernel killed it", restarted("worker-1", 137, "OOMKilled"), "OOMKilled"],
    ["its JVM had no heap left", restarted("worker-1", 3), "exit code 3"],
  ])("is out of memory when a TaskManager was: %s", (_how, end, detail) => {
    const lost =
      "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id worker-1 is no longer reachable.";
    const outcome = judged([end, ...failed(lost), ended("coordinator", 163)]);
    expect(outcome).toMatchObject({
      kind: "out-of-memory",
      pod: "worker-1",
      container: "worker",
      limitMib: 1280,
      message: containing(detail),
    });
    expect(outcome).toHaveProperty("advice", expect.stringMatching(/set taskManagers\.(memory|offHeap) to/));
    expect(outcome).not.toHaveProperty("advice", expect.stringMatching(/executor|driver\.|workers\./));
  });

  it("is out of memory when a task had no direct memory left, though its TaskManager lives on", () => {
    const thrown =
      "java.lang.OutOfMemoryError: Direct buffer memory. The direct out-of-memory error has occurred. In this case 'taskmanager.memory.task.off-heap.size' configuration option should be increased.";
    expect(judged([...failed(thrown), ended("coordinator", 163)])).toMatchObject({
      kind: "out-of-memory",
      container: "worker",
      advice: containing("set taskManagers.offHeap to"),
    });
  });
});

describe("a JobManager", () => {
  it.each([
    [
      137,
      "The JobManager is lost: it was killed (exit code 137, SIGKILL), though no lack of memory was seen.",
    ],
    [143, "The JobManager is lost: it was told to end (exit code 143, SIGTERM)."],
  ])("that a signal ended with %i is no fault of the job", (code, message) => {
    for (const plan of [batch, stream])
      expect(judged([ended("coordinator", code)], plan)).toEqual({ kind: "infrastructure", message });
  });

  it("ran out of memory by OOMKilled, by exit code 3, or killed with its limit in use", () => {
    const limit = batch.coordinator.driver.memory;
    const heap = lines("Terminating due to java.lang.OutOfMemoryError: Java heap space");
    const metaspace = lines("Terminating due to java.lang.OutOfMemoryError: Metaspace");
    const near = usage("coordinator", "driver", limit * 0.95);
    const advice = (facts: readonly Observation[]): unknown => {
      const outcome = judged(facts);
      expect(outcome).toMatchObject({ kind: "out-of-memory", container: "driver", limitMib: limit });
      return outcome?.kind === "out-of-memory" ? outcome.advice : undefined;
    };
    expect(advice([ended("coordinator", 137, "OOMKilled")])).toContain("set jobManager.offHeap to");
    expect(advice([near, ended("coordinator", 137)])).toContain("set jobManager.offHeap to");
    expect(advice([...heap, ended("coordinator", 3)])).toContain("set jobManager.memory to");
    expect(advice([...metaspace, ended("coordinator", 3)])).toContain("set jobManager.metaspace to");
  });

  it("whose pod is gone, evicted or on a lost node is lost, after a moment for late news", () => {
    const gone: Observation = {
      type: "pod-gone",
      at: at(80),
      uid: find("before", "coordinator").metadata.uid,
    };
    expect(judged([gone], stream, 82)).toBeUndefined();
    expect(judged([gone], stream)).toMatchObject({ kind: "lost", message: containing("the JobManager") });
    const conditions = [
      { type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager", message: "node lost" },
    ];
    const drained = saw(70, changed("coordinator", {}, { conditions }));
    expect(judged([drained], stream)).toMatchObject({
      kind: "lost",
      message: containing("DeletionByTaintManager, node lost"),
    });
  });

  it("that Kubernetes starts again is not lost until its Job has failed", () => {
    const highAvailability = { storage: "s3://demo-output/ha/", clusterId: "flink-stream" };
    const available: FlinkPlan = Object.assign({}, stream, { highAvailability });
    const killed = ended("coordinator", 137);
    expect(judged([killed], available)).toBeUndefined();
    const over: Observation = {
      type: "controller",
      at: at(70),
      kind: "Job",
      name: "coordinator",
      version: 1,
      deleted: false,
      failed: { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" },
    };
    expect(judged([killed, over], available)).toMatchObject({ kind: "infrastructure" });
  });
});

describe("a stream", () => {
  it("goes on without TaskManagers, however long it takes to have them again", () => {
    const gone = deleted.slice(0, 2);
    const { uid } = find("before", "worker-0").metadata;
    const pending = {
      ...find("before", "worker-0"),
      metadata: { ...find("before", "worker-0").metadata, uid: `${uid}-2`, resourceVersion: "999999999" },
      spec: {},
      status: {
        phase: "Pending",
        conditions: [
          {
            type: "PodScheduled",
            status: "False",
            reason: "Unschedulable",
            message: "0/1 nodes are available: 1 Insufficient memory.",
          },
        ],
      },
    };
    expect(judged([...gone, saw(141, pending)], stream, 90_000)).toBeUndefined();
    expect(judged([...gone, saw(141, pending)], batch, 500)).toMatchObject({ kind: "unschedulable" });
  });

  it("goes on when its TaskManagers end again and again", () => {
    const crashes = ["worker-0", "worker-1"].map((name) =>
      saw(60, changed(name, { ready: false, restartCount: 9, lastState: terminated(3) })),
    );
    expect(judged(crashes, stream)).toBeUndefined();
    expect(judged(crashes, batch)).toMatchObject({ kind: "out-of-memory" });
  });

  it("has no deadline of its own", () => {
    expect(stream.deadlines.run).toBeUndefined();
    expect(judged([], stream, 100_000_000)).toBeUndefined();
  });

  it("that failed by a lost TaskManager, as its REST tells, is tried again", () => {
    const failure: Outcome = {
      kind: "user-failure",
      exitCode: 163,
      exception:
        "org.apache.flink.runtime.jobmaster.JobMasterException: TaskManager with id worker-0 is no longer reachable.",
      message: "The stream failed.",
    };
    expect(blameWorkers(observe([...underWay, ...deleted]), stream, failure)).toMatchObject({
      kind: "infrastructure",
    });
    expect(blameWorkers(observe(underWay), stream, failure)).toEqual(failure);
  });
});

describe("who looks at a run of Flink", () => {
  const told = (plan: FlinkPlan, facts: readonly Observation[]): string[] => {
    const warnings: string[] = [];
    const tell = announcer(plan, {
      warning: (message) => {
        warnings.push(message);
      },
    });
    let known = nothingObserved;
    for (const fact of [...underWay, ...facts]) {
      known = reduce(known, fact, 3);
      tell(known, fact);
    }
    return warnings;
  };

  it("is told once of each TaskManager that is lost, and what comes next", () => {
    const goesOn = "Kubernetes starts it again, and Flink goes on from the newest checkpoint.";
    expect(told(stream, [...deleted, ...deleted])).toEqual([
      `TaskManager worker-0 was lost: its pod was deleted. ${goesOn}`,
      `TaskManager worker-1 was lost: its pod was deleted. ${goesOn}`,
    ]);
    const ends = [
      saw(60, changed("worker-0", { ready: false, state: terminated(137) })),
      restarted("worker-0", 137),
      restarted("worker-0", 137),
      restarted("worker-0", 1, "Error", 2),
    ];
    expect(told(stream, ends)).toEqual([
      `TaskManager worker-0 was lost: it was killed (exit code 137, SIGKILL). ${goesOn}`,
      `TaskManager worker-0 was lost: it ended with exit code 1. ${goesOn}`,
    ]);
  });

  it("is told of one that ran out of memory, once, and what to set in Flink's words", () => {
    const ends = [restarted("worker-0", 137, "OOMKilled"), restarted("worker-0", 137, "OOMKilled", 2)];
    const [warning, ...rest] = told(stream, ends);
    expect(rest).toEqual([]);
    expect(warning).toMatch(
      /^Container worker of pod worker-0 ran out of memory .*set taskManagers\.offHeap to/,
    );
  });
});

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Observation } from "../../../jobs/watch/observe.ts";
import { nothingObserved } from "../../../jobs/watch/reduce.ts";
import { verdict } from "../../../jobs/watch/verdict.ts";
import { containing } from "../../harness/expect.ts";
import {
  at,
  bothWorkers,
  driverEnded,
  ended,
  event,
  judged,
  line,
  log,
  plan,
  running,
  START,
  sawPod,
  underWay,
} from "./scenario.ts";

const TRACEBACK = `Traceback (most recent call last):
  File "/tmp/spark-1/exception.py", line 9, in <module>
    raise ValueError("the month has no day 31")
ValueError: the month has no day 31`;

describe("a run whose driver ended", () => {
  it("succeeds by the driver container's exit code 0, whatever the sidecar and the pod's phase say", () => {
    const facts = [
      ...underWay(),
      driverEnded(20, 0, { phase: "Running", state: { driver: ended(0), master: ended(143) } }),
    ];
    expect(judged(facts, 20)).toEqual({ kind: "succeeded" });
    const failedPod = driverEnded(20, 0, { phase: "Failed", state: { driver: ended(0), master: ended(1) } });
    expect(judged([...underWay(), failedPod], 20)).toEqual({ kind: "succeeded" });
  });

  it("is not judged while only the sidecar has ended", () => {
    const facts = [...underWay(), driverEnded(20, 0, { state: { driver: running(), master: ended(0) } })];
    expect(judged(facts, 30)).toBeUndefined();
  });

  it("fails with the exception's last line", () => {
    expect(judged([...underWay(), ...log(19, TRACEBACK), driverEnded(20, 1)], 20)).toEqual({
      kind: "user-failure",
      exitCode: 1,
      exception: "ValueError: the month has no day 31",
      message: "The driver ended with exit code 1: ValueError: the month has no day 31.",
    });
  });

  it("fails with its own exit code where there is no exception", () => {
    expect(judged([...underWay(), driverEnded(20, 42)], 20)).toEqual({
      kind: "user-failure",
      exitCode: 42,
      message: "The driver ended with exit code 42 and showed no exception.",
    });
  });

  it("stays succeeded when its pod, namespace and Job go afterwards", () => {
    const facts: Observation[] = [
      ...underWay(),
      driverEnded(20, 0),
      driverEnded(22, 0, { deletedAt: 22, state: { master: ended(143, 22), driver: ended(0, 20) } }),
      { type: "pod-gone", at: at(23), uid: "uid-coordinator-x7k2p" },
      { type: "namespace", at: at(23), uid: "uid-namespace", state: "gone", deletedAt: at(22) },
    ];
    expect(judged(facts, 40)).toEqual({ kind: "succeeded" });
  });
});

describe("a run that ran out of memory", () => {
  it("names the driver, its limit and what to set when the kernel killed it", () => {
    const oom = driverEnded(20, 137, { state: { master: running(), driver: ended(137, 20, "OOMKilled") } });
    const outcome = judged([...underWay(), oom], 20);
    expect(outcome).toMatchObject({
      kind: "out-of-memory",
      pod: "coordinator-x7k2p",
      container: "driver",
      limitMib: plan.coordinator.driver.memory,
    });
    expect(outcome).toHaveProperty("advice", expect.stringMatching(/set driver\.overhead to \d+Mi/));
  });

  it("reads exit code 52 as a JVM without heap and advises more of it", () => {
    const outcome = judged([...underWay(), driverEnded(20, 52)], 20);
    expect(outcome).toMatchObject({ kind: "out-of-memory", container: "driver" });
    expect(outcome).toHaveProperty("advice", expect.stringMatching(/set driver\.memory to \d+Mi/));
  });

  it("takes a bare 137 for it only where memory was near the limit", () => {
    const usage = (memoryMib: number): Observation => ({
      type: "usage",
      at: at(18),
      samples: [{ pod: "coordinator-x7k2p", container: "driver", at: at(18), cpuSeconds: 9, memoryMib }],
    });
    const limit = plan.coordinator.driver.memory;
    expect(judged([...underWay(), usage(limit * 0.95), driverEnded(20, 137)], 20)).toMatchObject({
      kind: "out-of-memory",
      container: "driver",
    });
    expect(judged([...underWay(), usage(limit * 0.4), driverEnded(20, 137)], 20)).toMatchObject({
      kind: "user-failure",
      exitCode: 137,
      message: containing("SIGKILL"),
    });
  });

  it("finds the worker whose container lives on after its executor was killed (cgroup v1)", () => {
    const facts = [
      ...underWay(),
      line(
        10,
        1,
        "26/11/24 06:00:10 ERROR TaskSchedulerImpl: Lost executor 0 on 10.244.0.23: Command exited with code 137",
      ),
      ...log(
        19,
        `Traceback (most recent call last):
  File "/tmp/oom.py", line 12, in <module>
    spark.range(8).rdd.map(fill).count()
py4j.protocol.Py4JJavaError: An error occurred while calling o61.collectToPython.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, most recent failure: Lost task 0.3 in stage 0.0 (TID 3) (10.244.0.23 executor 3): ExecutorLostFailure (executor 3 exited caused by one of the running tasks) Reason: Command exited with code 137`,
      ).map((fact, index) => (fact.type === "driver-line" ? { ...fact, index: 10 + index } : fact)),
      driverEnded(20, 1),
    ];
    expect(judged(facts, 20)).toMatchObject({
      kind: "out-of-memory",
      pod: "workers-1",
      container: "worker",
      limitMib: plan.workers.container.memory,
      message: containing("killed a process of its executor"),
    });
  });

  it("finds the worker whose Python process was killed and whose executor lives on (cgroup v1, Spark 4.0.1)", () => {
    const text = readFileSync(
      new URL("samples/python-worker-killed.log", import.meta.url),
      "utf8",
    ).replaceAll("10.244.0.100", "10.244.0.23");
    const usage = (memoryMib: number): Observation => ({
      type: "usage",
      at: at(18),
      samples: [{ pod: "workers-1", container: "worker", at: at(18), cpuSeconds: 9, memoryMib }],
    });
    const limit = plan.workers.container.memory;
    expect(
      judged([...underWay(), usage(limit * 0.9), ...log(19, text), driverEnded(20, 1)], 20),
    ).toMatchObject({
      kind: "out-of-memory",
      pod: "workers-1",
      container: "worker",
    });
    expect(
      judged([...underWay(), usage(limit * 0.5), ...log(19, text), driverEnded(20, 1)], 20),
    ).toMatchObject({
      kind: "user-failure",
      exception: containing("Python worker exited unexpectedly"),
    });
  });

  it("is sure of a killed Python process where Python's fault handler has nothing to say (Spark 4.0.1)", () => {
    const text = readFileSync(
      new URL("samples/python-worker-killed-faulthandler.log", import.meta.url),
      "utf8",
    ).replaceAll("10.244.0.116", "10.244.0.22");
    expect(judged([...underWay(), ...log(19, text), driverEnded(20, 1)], 20)).toMatchObject({
      kind: "out-of-memory",
      pod: "workers-0",
    });
  });

  it("finds a worker that the kubelet says was killed and started again", () => {
    const killed = sawPod(12, "worker", {
      name: "workers-0",
      state: { worker: running(13) },
      last: { worker: ended(137, 12, "OOMKilled") },
      restarts: { worker: 1 },
    });
    const facts = [
      ...underWay(),
      killed,
      line(19, 1, "org.apache.spark.SparkException: Master removed our application: FAILED"),
      driverEnded(20, 1),
    ];
    expect(judged(facts, 20)).toMatchObject({ kind: "out-of-memory", pod: "workers-0", container: "worker" });
  });

  it("does not blame a worker that recovered when the driver failed by its own exception", () => {
    const killed = line(
      10,
      1,
      "26/11/24 06:00:10 ERROR TaskSchedulerImpl: Lost executor 0 on 10.244.0.23: Command exited with code 137",
    );
    const later = log(300, TRACEBACK).map((fact, index) =>
      fact.type === "driver-line" ? { ...fact, index: 500 + index } : fact,
    );
    const noise = Array.from({ length: 200 }, (_, index) =>
      line(20, 100 + index, "INFO DAGScheduler: Job finished"),
    );
    expect(judged([...underWay(), killed, ...noise, ...later, driverEnded(301, 1)], 301)).toMatchObject({
      kind: "user-failure",
      exception: "ValueError: the month has no day 31",
      message: containing("ran out of memory"),
    });
  });
});

describe("a run that was lost", () => {
  const gone: Observation = { type: "pod-gone", at: at(20), uid: "uid-coordinator-x7k2p" };

  it("is lost when its driver's pod is gone without an exit code, after a moment for late news", () => {
    expect(judged([...underWay(), gone], 22)).toBeUndefined();
    expect(judged([...underWay(), gone], 25)).toMatchObject({ kind: "lost" });
  });

  it("succeeds when the late news is an exit code 0 from before", () => {
    expect(judged([...underWay(), gone, driverEnded(19, 0)], 21)).toEqual({
      kind: "succeeded",
    });
  });

  it("is never a success when the driver ended with 0 only after its deletion was asked for", () => {
    const facts = [...underWay(), driverEnded(20, 0, { deletedAt: 20 })];
    expect(judged(facts, 25)).toMatchObject({
      kind: "lost",
      message: containing("not counted as a success"),
    });
  });

  it.each([
    ["EvictionByEvictionAPI", "Eviction API: evicting"],
    ["PreemptionByScheduler", "default-scheduler: preempting to accommodate a higher priority pod"],
    ["DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"],
    ["TerminationByKubelet", "The node was low on resource: memory"],
  ])("is lost by %s though the driver ended with 143", (reason, message) => {
    const conditions = [
      {
        type: "DisruptionTarget",
        status: "True",
        reason,
        message,
        lastTransitionTime: new Date(at(18)).toISOString(),
      },
    ];
    const facts = [...underWay(), driverEnded(20, 143, { conditions })];
    expect(judged(facts, 25)).toMatchObject({ kind: "lost", message: containing(reason) });
  });

  it("is lost when the node lost sight of the container", () => {
    const unknown = driverEnded(20, 137, { state: { driver: ended(137, 20, "ContainerStatusUnknown") } });
    expect(judged([...underWay(), unknown], 25)).toMatchObject({ kind: "lost" });
  });

  it("is lost when containerd was started again and found no process of the driver: 255 and Unknown", () => {
    const unknown = driverEnded(20, 255, { state: { driver: ended(255, 20, "Unknown") } });
    expect(judged([...underWay(), unknown], 25)).toMatchObject({
      kind: "lost",
      message: containing("nobody knows how the driver ended"),
    });
    // A program may well end with 255 itself.
    const own = driverEnded(20, 255, { state: { driver: ended(255, 20, "Error") } });
    expect(judged([...underWay(), own], 25)).toMatchObject({ kind: "user-failure", exitCode: 255 });
  });

  it("names the namespace when that was deleted by hand", () => {
    const facts: Observation[] = [
      ...underWay(),
      { type: "namespace", at: at(20), uid: "uid-namespace", state: "terminating", deletedAt: at(20) },
      sawPod(20, "coordinator", { deletedAt: 20, state: { driver: running() } }),
    ];
    expect(judged(facts, 25)).toMatchObject({
      kind: "lost",
      message: containing(`Namespace ${plan.namespace}`),
    });
  });

  it("is lost when its StatefulSet was deleted by hand", () => {
    const facts: Observation[] = [
      ...underWay(),
      {
        type: "controller",
        at: at(20),
        kind: "StatefulSet",
        name: "workers",
        version: 900,
        deleted: true,
        failed: undefined,
      },
    ];
    expect(judged(facts, 25)).toMatchObject({
      kind: "lost",
      message: containing("StatefulSet workers"),
    });
  });

  it("goes on when a worker is lost", () => {
    const facts: Observation[] = [...underWay(), { type: "pod-gone", at: at(20), uid: "uid-workers-0" }];
    expect(judged(facts, 300)).toBeUndefined();
  });

  it("is the user's failure when the driver filled its disk", () => {
    const evicted = sawPod(20, "coordinator", {
      phase: "Failed",
      reason: "Evicted",
      message: 'Usage of EmptyDir volume "scratch" exceeds the limit "512Mi". ',
      state: { driver: ended(137) },
    });
    expect(judged([...underWay(), evicted], 25)).toMatchObject({
      kind: "user-failure",
      message: containing("scratch.size"),
    });
  });
});

describe("a run that does not start", () => {
  const neverPull = (second: number): Observation =>
    sawPod(second, "coordinator", {
      phase: "Pending",
      state: {
        master: {
          waiting: {
            reason: "ErrImageNeverPull",
            message: `Container image "${plan.image.reference}" is not present with pull policy of Never`,
          },
        },
      },
    });
  const pull = (second: number, message: string, reason = "ErrImagePull"): Observation =>
    sawPod(second, "coordinator", { phase: "Pending", state: { master: { waiting: { reason, message } } } });

  it("ends at once on an image that may not be pulled", () => {
    expect(judged([neverPull(3)], 3)).toMatchObject({ kind: "image", image: plan.image.reference });
  });

  it("ends at once on an image that the registry does not have", () => {
    const message = `rpc error: code = NotFound desc = failed to pull and unpack image "registry.example/spark:9": failed to resolve reference "registry.example/spark:9": registry.example/spark:9: not found`;
    expect(judged([pull(3, message)], 3)).toMatchObject({
      kind: "image",
      message: containing("not found"),
    });
  });

  it("waits for a registry that has a bad moment, and gives up after four pulls or the image deadline", () => {
    const message = `failed to pull image: dial tcp: lookup registry.example on 10.96.0.10:53: no such host`;
    const tries = (count: number): Observation =>
      event(4, "Failed", `Failed to pull image "x": ${message}`, { count });
    expect(judged([pull(3, message), tries(3)], 40)).toBeUndefined();
    expect(judged([pull(3, message), tries(4)], 40)).toMatchObject({ kind: "image" });
    expect(judged([pull(3, message), tries(1)], 64)).toMatchObject({ kind: "image" });
    const better = sawPod(50, "coordinator", { state: { master: running(50), driver: running(51) } });
    expect(judged([pull(3, message), tries(4), better], 51)).toBeUndefined();
  });

  it("is refused when the quota stands against it, but not while the quota is still being counted", () => {
    const text =
      'Error creating: pods "coordinator-x7k2p" is forbidden: exceeded quota: plan, requested: pods=1, used: pods=1, limited: pods=1';
    const job = { kind: "Job", name: "coordinator" };
    expect(judged([event(2, "FailedCreate", text, job)], 10)).toBeUndefined();
    expect(judged([event(2, "FailedCreate", text, job)], 18)).toMatchObject({
      kind: "refused",
      by: "quota",
      message: containing("limit is pods=1"),
    });
    expect(judged([event(2, "FailedCreate", text, job), sawPod(12, "coordinator")], 18)).toBeUndefined();
    const lag =
      'Error creating: pods "coordinator-x7k2p" is forbidden: status unknown for quota: plan, resources: pods';
    expect(judged([event(2, "FailedCreate", lag, job)], 60)).toBeUndefined();
  });

  it("is refused at once by Pod Security", () => {
    const text =
      'create Pod workers-0 in StatefulSet workers failed error: pods "workers-0" is forbidden: violates PodSecurity "restricted:v1.34": allowPrivilegeEscalation != false (container "worker" must set securityContext.allowPrivilegeEscalation=false)';
    const set = { kind: "StatefulSet", name: "workers" };
    expect(judged([sawPod(2, "coordinator"), event(2, "FailedCreate", text, set)], 3)).toMatchObject({
      kind: "refused",
      by: "policy",
      message: containing("allowPrivilegeEscalation"),
    });
  });

  const unschedulable = sawPod(2, "worker", {
    name: "workers-1",
    node: null,
    phase: "Pending",
    conditions: [
      {
        type: "PodScheduled",
        status: "False",
        reason: "Unschedulable",
        message:
          "0/3 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 2 Insufficient memory. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
      },
    ],
  });

  const withoutSecondWorker = (): Observation[] =>
    underWay().filter((fact) => fact.type !== "pod" || fact.pod.name !== "workers-1");

  it("is unschedulable at the pending deadline and says what is missing", () => {
    const facts = [...withoutSecondWorker(), unschedulable];
    expect(judged(facts, 119)).toBeUndefined();
    expect(judged(facts, 122)).toMatchObject({
      kind: "unschedulable",
      missing: "a node with the pool's labels (on 1 of 3 nodes), free memory (on 2 of 3 nodes)",
      message: containing("workers-1"),
    });
  });

  it("is unschedulable earlier when the autoscaler has nothing to add", () => {
    const no = event(5, "NotTriggerScaleUp", "pod didn't trigger scale-up: 1 max node group size reached", {
      name: "workers-1",
      type: "Normal",
    });
    expect(judged([...withoutSecondWorker(), unschedulable, no], 64)).toBeUndefined();
    expect(judged([...withoutSecondWorker(), unschedulable, no], 66)).toMatchObject({
      kind: "unschedulable",
    });
    const yes = event(6, "TriggeredScaleUp", "pod triggered scale-up: [{m7g 0->1 (max: 5)}]", {
      name: "workers-1",
      type: "Normal",
    });
    expect(judged([...withoutSecondWorker(), unschedulable, no, yes], 66)).toBeUndefined();
  });

  it("lets a worker that replaces a lost one wait for a node while another one works", () => {
    const replacement = sawPod(30, "worker", {
      name: "workers-1",
      uid: "uid-second",
      node: null,
      phase: "Pending",
    });
    const facts: Observation[] = [
      ...underWay(),
      { type: "pod-gone", at: at(29), uid: "uid-workers-1" },
      replacement,
    ];
    expect(judged(facts, 500)).toBeUndefined();
    const alone: Observation[] = [...facts, { type: "pod-gone", at: at(31), uid: "uid-workers-0" }];
    expect(judged(alone, 500)).toMatchObject({ kind: "deadline", phase: "pending" });
  });

  it("names the missing Secret when no container could start", () => {
    const waiting = sawPod(3, "coordinator", {
      phase: "Pending",
      state: { master: { waiting: { reason: "ContainerCreating" } } },
    });
    const mount = event(
      10,
      "FailedMount",
      'MountVolume.SetUp failed for volume "authentication" : secret "run" not found',
    );
    expect(judged([waiting, mount], 60)).toBeUndefined();
    expect(judged([waiting, mount], 64)).toMatchObject({
      kind: "deadline",
      phase: "image",
      message: containing('secret "run" not found'),
    });
  });

  it("passes the start deadline when the driver neither speaks nor works", () => {
    const silent = sawPod(4, "coordinator", { state: { master: running(), driver: running() } });
    expect(judged([silent, ...bothWorkers(4)], 95)).toMatchObject({ kind: "deadline", phase: "start" });
    const works: Observation = {
      type: "usage",
      at: at(60),
      samples: [
        { pod: "coordinator-x7k2p", container: "driver", at: at(60), cpuSeconds: 12, memoryMib: 200 },
      ],
    };
    expect(judged([silent, ...bothWorkers(4), works], 95)).toBeUndefined();
  });

  it("tells of a master that ends again and again", () => {
    const crashing = sawPod(60, "coordinator", {
      phase: "Pending",
      state: { master: { waiting: { reason: "CrashLoopBackOff" } } },
      last: { master: ended(1) },
      restarts: { master: 5 },
    });
    expect(judged([crashing], 60)).toMatchObject({
      kind: "infrastructure",
      message: containing("master"),
    });
  });

  it("tells when no pod was ever made", () => {
    expect(judged([], 119)).toBeUndefined();
    expect(judged([], 121)).toMatchObject({ kind: "infrastructure" });
  });
});

describe("a run that takes too long", () => {
  it("passes its deadline, and the message ends with the driver's last line", () => {
    expect(judged(underWay(), 599)).toBeUndefined();
    expect(judged(underWay(), 600)).toMatchObject({
      kind: "deadline",
      phase: "run",
      limitSeconds: 600,
      message: containing("Running Spark version"),
    });
  });

  it("is judged by old news only at its own deadline while the API server is away", () => {
    const away: Observation = { type: "api", at: at(10), reachable: false };
    const pending = sawPod(2, "coordinator", { node: null, phase: "Pending" });
    expect(judged([pending, away], 300)).toBeUndefined();
    expect(judged([pending, away], 600)).toMatchObject({ kind: "deadline", phase: "run" });
    const back: Observation = { type: "api", at: at(200), reachable: true };
    expect(judged([pending, away, back], 300)).toMatchObject({ kind: "deadline", phase: "pending" });
  });
});

describe("a run that was submitted long before its watch began", () => {
  it("has the whole time for its first pod, counted from the watch", () => {
    const judgedAt = (second: number) => verdict(nothingObserved, plan, START, at(second), at(200));
    expect(judgedAt(201)).toBeUndefined();
    expect(judgedAt(200 + plan.deadlines.pending - 1)).toBeUndefined();
    expect(judgedAt(200 + plan.deadlines.pending)).toMatchObject({ kind: "infrastructure" });
  });
});

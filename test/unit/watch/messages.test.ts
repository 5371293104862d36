import { describe, expect, it } from "vitest";
import { memoryClue } from "../../../jobs/watch/memory.ts";
import { parseRefusal } from "../../../jobs/watch/refusal.ts";
import { parseUnschedulable } from "../../../jobs/watch/scheduling.ts";
import { parseResourceMetrics } from "../../../jobs/watch/usage.ts";
import { containing } from "../../harness/expect.ts";

describe("parseUnschedulable", () => {
  it.each([
    [
      "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
      "free CPU",
    ],
    [
      "0/4 nodes are available: 1 node(s) had untolerated taint {mayfly.dev/runs: }, 1 node(s) were unschedulable, 2 Insufficient memory. preemption: 0/4 nodes are available",
      "a node without the taint mayfly.dev/runs (on 1 of 4 nodes), a node that is not cordoned (on 1 of 4 nodes), free memory (on 2 of 4 nodes)",
    ],
    [
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
      "a node with the pool's labels",
    ],
    ["0/2 nodes are available: 2 Insufficient ephemeral-storage.", "free local disk (on 2 of 2 nodes)"],
    ["0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.", "free CPU, free memory"],
    [
      "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
      "a volume for the pod's claim",
    ],
    ["no nodes available to schedule pods", "any node at all"],
    [
      "pod didn't trigger scale-up: 1 max node group size reached",
      "room in the node group: it is at its largest size",
    ],
    ["something that no scheduler of today says", "something that no scheduler of today says"],
    ["", "a node that fits"],
  ])("reads %s", (message, missing) => {
    expect(parseUnschedulable(message)).toBe(missing);
  });
});

describe("parseRefusal", () => {
  it.each([
    [
      'Error creating: pods "coordinator-abc" is forbidden: exceeded quota: plan, requested: limits.cpu=2,pods=1, used: limits.cpu=1,pods=1, limited: limits.cpu=2,pods=1',
      {
        by: "quota",
        message: containing("asks for limits.cpu=2,pods=1, limits.cpu=1,pods=1 is in use"),
      },
    ],
    [
      'Error creating: pods "coordinator-abc" is forbidden: failed quota: plan: must specify limits.cpu for: driver',
      { by: "quota", message: containing("does not state limits.cpu for: driver") },
    ],
    [
      'Error creating: pods "coordinator-abc" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true (pod or container "driver" must set securityContext.runAsNonRoot=true)',
      { by: "policy", message: containing("runAsNonRoot") },
    ],
    [
      `Error creating: pods "coordinator-abc" is forbidden: ValidatingAdmissionPolicy 'images' with binding 'images-runs' denied request: only images of the environment may run`,
      { by: "policy", message: "Policy images refuses the pod: only images of the environment may run" },
    ],
    [
      'Error creating: admission webhook "validate.kyverno.svc-fail" denied the request: no latest tags',
      { by: "policy", message: "Webhook validate.kyverno.svc-fail refuses the pod: no latest tags" },
    ],
    [
      'Error creating: pods "coordinator-abc" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
      {
        by: "policy",
        message: "A LimitRange refuses the pod: maximum memory usage per Container is 1Gi, but limit is 2Gi",
      },
    ],
    [
      'Error creating: pods "coordinator-abc" is forbidden: status unknown for quota: plan, resources: pods',
      undefined,
    ],
    ["Error creating: Internal error occurred: failed calling webhook: context deadline exceeded", undefined],
  ])("reads %s", (message, refusal) => {
    const found = parseRefusal(message);
    if (refusal === undefined) expect(found).toBeUndefined();
    else expect(found).toEqual(refusal);
  });
});

describe("memoryClue", () => {
  it.each([
    [
      "ERROR TaskSchedulerImpl: Lost executor 0 on 10.244.0.9: Command exited with code 137",
      { how: "killed", executor: true, ip: "10.244.0.9" },
    ],
    ["Reason: Command exited with code 52", { how: "heap", executor: true, ip: undefined }],
    [
      "WARN TaskSetManager: Lost task 1.0 in stage 2.0 (TID 9) (10.244.0.9 executor 1): java.lang.OutOfMemoryError: Java heap space",
      { how: "heap", executor: true, ip: "10.244.0.9" },
    ],
    [
      'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
      { how: "heap", executor: false, ip: undefined },
    ],
    ["MemoryError", { how: "python", executor: false, ip: undefined }],
    [
      "numpy.core._exceptions.MemoryError: Unable to allocate 8 GiB",
      { how: "python", executor: false, ip: undefined },
    ],
    [
      "Lost task 0.0 in stage 0.0 (TID 0) (10.244.0.9 executor 0): org.apache.spark.SparkException: Python worker exited unexpectedly (crashed): ",
      { how: "killed", executor: true, ip: "10.244.0.9" },
    ],
    ["Python worker exited unexpectedly (crashed): Fatal Python error: Segmentation fault", undefined],
    [
      "Python worker exited unexpectedly (crashed). Consider setting 'spark.python.worker.faulthandler.enabled'",
      { how: "crashed", executor: true, ip: undefined },
    ],
    ["Command exited with code 1", undefined],
    ["INFO MemoryStore: MemoryStore started with capacity 93.3 MiB", undefined],
  ])("reads %s", (text, clue) => {
    expect(memoryClue(text)).toEqual(clue);
  });
});

describe("parseResourceMetrics", () => {
  it("takes the containers of one namespace, in seconds and MiB", () => {
    const text = `# HELP container_cpu_usage_seconds_total [STABLE] Cumulative cpu time consumed by the container in core-seconds
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="driver",namespace="demo-pi-1",pod="coordinator-abc"} 4.256612 1790143203000
container_cpu_usage_seconds_total{container="driver",namespace="demo-pi-2",pod="coordinator-xyz"} 9 1790143203000
container_memory_working_set_bytes{container="driver",namespace="demo-pi-1",pod="coordinator-abc"} 2.097152e+08 1790143203000
container_memory_working_set_bytes{container="master",namespace="demo-pi-1",pod="coordinator-abc"} 1.048576e+08 1790143203000
node_cpu_usage_seconds_total 3456.2 1790143203000`;
    expect(parseResourceMetrics(text, "demo-pi-1", 0)).toEqual([
      {
        pod: "coordinator-abc",
        container: "driver",
        at: 1_790_143_203_000,
        cpuSeconds: 4.256612,
        memoryMib: 200,
      },
    ]);
  });
});

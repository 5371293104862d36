import { describe, expect, it } from "vitest";
import { mayLeaveDeleting, readinessOf } from "../../../lab/kubernetes-plugin/await/index.ts";
import {
  judgeClaim,
  judgeDefinition,
  judgeQuota,
  judgeSecret,
  judgeService,
} from "../../../lab/kubernetes-plugin/await/others.ts";
import { judgePod, podProblems } from "../../../lab/kubernetes-plugin/await/pods.ts";
import {
  judgeDaemonSet,
  judgeDeployment,
  judgeJob,
  judgeStatefulSet,
} from "../../../lab/kubernetes-plugin/await/workloads.ts";

const condition = (type: string, status: string, reason = "", message = ""): object => ({
  type,
  status,
  reason,
  message,
});
type Object = Parameters<typeof judgePod>[0];
const json = (value: object): Object => JSON.parse(JSON.stringify(value)) as Object;
const state = (judge: typeof judgePod, value: object, related = {}): string =>
  judge(json(value), related).state;
const reason = (judge: typeof judgePod, value: object, related = {}): string => {
  const verdict = judge(json(value), related);
  return verdict.state === "ready" ? "" : verdict.reason;
};

describe("a Pod", () => {
  it("is ready when its Ready condition holds or it has succeeded", () => {
    expect(state(judgePod, { status: { conditions: [condition("Ready", "True")] } })).toBe("ready");
    expect(state(judgePod, { status: { phase: "Succeeded" } })).toBe("ready");
    expect(state(judgePod, { status: { phase: "Pending" } })).toBe("pending");
    expect(state(judgePod, { status: { phase: "Failed" } })).toBe("failed");
  });

  it("says why it does not run", () => {
    const pod = json({
      metadata: { name: "web-1" },
      status: {
        conditions: [condition("PodScheduled", "False", "Unschedulable", "0/1 nodes are available")],
        containerStatuses: [
          { name: "main", state: { waiting: { reason: "ErrImagePull", message: "not found" } } },
          { name: "side", state: { waiting: { reason: "ContainerCreating" } } },
          {
            name: "loop",
            state: { waiting: { reason: "CrashLoopBackOff" } },
            lastState: { terminated: { reason: "OOMKilled", exitCode: 137 } },
          },
        ],
      },
    });
    expect(podProblems(pod)).toEqual([
      "Pod web-1: [Unschedulable] 0/1 nodes are available",
      'Pod web-1: container "main": [ErrImagePull] not found',
      'Pod web-1: container "loop": [CrashLoopBackOff]; it last ended with OOMKilled, exit code 137',
    ]);
  });
});

describe("a Deployment", () => {
  const status = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, availableReplicas: 2 };
  const deployment = (more: object): object => ({
    metadata: { generation: 2 },
    spec: { replicas: 2 },
    status: { ...status, ...more },
  });

  it("is ready when every pod is of the newest template and available", () => {
    expect(state(judgeDeployment, deployment({}))).toBe("ready");
    expect(reason(judgeDeployment, deployment({ availableReplicas: 1 }))).toBe("1 of 2 pods available");
    expect(reason(judgeDeployment, deployment({ replicas: 3 }))).toBe("1 old pod left to end");
  });

  it("does not take the status of an older spec for the newest one's", () => {
    expect(state(judgeDeployment, deployment({ observedGeneration: 1 }))).toBe("pending");
  });

  it("fails when its own controller has given up, and tells why pods are not made", () => {
    const deadline = condition("Progressing", "False", "ProgressDeadlineExceeded", "timed out");
    expect(state(judgeDeployment, deployment({ conditions: [deadline] }))).toBe("failed");
    const refused = condition("ReplicaFailure", "True", "FailedCreate", "violates PodSecurity");
    expect(reason(judgeDeployment, deployment({ conditions: [refused] }))).toContain("violates PodSecurity");
  });

  it("is ready with no pods where it asks for none", () => {
    expect(
      state(judgeDeployment, {
        metadata: { generation: 1 },
        spec: { replicas: 0 },
        status: { observedGeneration: 1 },
      }),
    ).toBe("ready");
  });
});

describe("a StatefulSet", () => {
  const set = (status: object, spec: object = {}): object => ({
    metadata: { generation: 1 },
    spec: { replicas: 2, ...spec },
    status: {
      observedGeneration: 1,
      replicas: 2,
      readyReplicas: 2,
      currentRevision: "a",
      updateRevision: "a",
      ...status,
    },
  });

  it("is ready when all pods are ready and of the newest revision", () => {
    expect(state(judgeStatefulSet, set({}))).toBe("ready");
    expect(state(judgeStatefulSet, set({ readyReplicas: 1 }))).toBe("pending");
    expect(reason(judgeStatefulSet, set({ updateRevision: "b", updatedReplicas: 1 }))).toBe(
      "1 of 2 pods updated",
    );
  });

  it("does not wait for a new revision where pods are replaced by hand, or below the partition", () => {
    const updating = { updateRevision: "b", updatedReplicas: 1 };
    expect(state(judgeStatefulSet, set(updating, { updateStrategy: { type: "OnDelete" } }))).toBe("ready");
    const partition = { updateStrategy: { rollingUpdate: { partition: 1 } } };
    expect(state(judgeStatefulSet, set(updating, partition))).toBe("ready");
  });
});

describe("a DaemonSet", () => {
  it("is ready when every node that should run it does", () => {
    const set = (numberReady: number): object => ({
      metadata: { generation: 1 },
      status: { observedGeneration: 1, desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady },
    });
    expect(state(judgeDaemonSet, set(2))).toBe("ready");
    expect(state(judgeDaemonSet, set(1))).toBe("pending");
  });
});

describe("a Job", () => {
  it("is ready when it has completed, and fails with its own reason", () => {
    expect(state(judgeJob, { status: { conditions: [condition("Complete", "True")] } })).toBe("ready");
    const failed = condition(
      "Failed",
      "True",
      "DeadlineExceeded",
      "Job was active longer than specified deadline",
    );
    expect(state(judgeJob, { status: { conditions: [failed] } })).toBe("failed");
    expect(reason(judgeJob, { status: { conditions: [failed] } })).toMatch(/^\[DeadlineExceeded\]/);
  });

  it("says what it waits for", () => {
    expect(reason(judgeJob, { status: {} })).toBe("waiting for the Job to start");
    expect(reason(judgeJob, { spec: { suspend: true } })).toBe("the Job is suspended");
    expect(reason(judgeJob, { status: { startTime: "2026-01-01T00:00:00Z", active: 1 } })).toContain(
      "active 1",
    );
  });
});

describe("a Service", () => {
  const selecting = { spec: { selector: { app: "web" }, clusterIP: "10.96.0.7" } };

  it("is ready when no selected pod is unready, also where there is none yet", () => {
    expect(state(judgeService, selecting, { endpointSlices: [{ endpoints: [] }] })).toBe("ready");
    const unready = { endpoints: [{ conditions: { ready: false } }, { conditions: { ready: true } }] };
    expect(reason(judgeService, selecting, { endpointSlices: [unready] })).toContain("1 of the pods");
    expect(state(judgeService, selecting)).toBe("pending");
  });

  it("has no endpoints to wait for where it is headless, selects nothing, or is a mere name", () => {
    for (const spec of [
      { selector: { app: "web" }, clusterIP: "None" },
      { clusterIP: "10.96.0.7" },
      { type: "ExternalName", selector: { app: "web" } },
    ])
      expect(state(judgeService, { spec })).toBe("ready");
  });

  it("needs an address where it is a load balancer", () => {
    const spec = { type: "LoadBalancer" };
    expect(state(judgeService, { spec })).toBe("pending");
    expect(state(judgeService, { spec, status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }] } } })).toBe(
      "ready",
    );
  });
});

describe("other kinds", () => {
  it("has a claim ready when bound, or when its storage waits for the first pod", () => {
    expect(state(judgeClaim, { status: { phase: "Bound" } })).toBe("ready");
    expect(state(judgeClaim, { status: { phase: "Pending" } })).toBe("pending");
    expect(state(judgeClaim, { status: { phase: "Pending" } }, { bindingMode: "WaitForFirstConsumer" })).toBe(
      "ready",
    );
    expect(state(judgeClaim, { status: { phase: "Lost" } }, { bindingMode: "WaitForFirstConsumer" })).toBe(
      "pending",
    );
  });

  it("has a quota ready when its limits are in force", () => {
    expect(state(judgeQuota, { spec: { hard: { pods: "1" } }, status: { hard: { pods: "1" } } })).toBe(
      "ready",
    );
    expect(state(judgeQuota, { spec: { hard: { pods: "1" } }, status: {} })).toBe("pending");
  });

  it("waits for the token of a token Secret only", () => {
    expect(state(judgeSecret, { type: "Opaque" })).toBe("ready");
    expect(state(judgeSecret, { type: "kubernetes.io/service-account-token" })).toBe("pending");
  });

  it("has a definition ready when it is established", () => {
    expect(state(judgeDefinition, { status: { conditions: [condition("Established", "True")] } })).toBe(
      "ready",
    );
    expect(state(judgeDefinition, {})).toBe("pending");
  });

  it("has everything else ready as soon as it exists", () => {
    expect(readinessOf({ apiVersion: "v1", kind: "ConfigMap" })).toBeUndefined();
    expect(readinessOf({ apiVersion: "example.com/v1", kind: "Job" })).toBeUndefined();
    expect(readinessOf({ apiVersion: "batch/v1", kind: "Job" })).toBeDefined();
  });

  it("may leave without waiting for a delete what the official plugin does", () => {
    expect(mayLeaveDeleting({ apiVersion: "v1", kind: "Namespace" })).toBe(true);
    expect(mayLeaveDeleting({ apiVersion: "batch/v1", kind: "Job" })).toBe(true);
    expect(mayLeaveDeleting({ apiVersion: "v1", kind: "ConfigMap" })).toBe(false);
  });
});

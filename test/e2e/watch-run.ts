// A run's objects with shell lines in place of Spark, for proving the watch against real pods.
import { randomBytes } from "node:crypto";
import { type Cluster, openCluster } from "../../jobs/watch/index.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import type { SparkPlan } from "../../schema/plan.ts";
import { samplePlans } from "../harness/samples.ts";
import { apply, IMAGE, kubectl } from "../lab/pods.ts";

export const openLab = (): Promise<Cluster> => openCluster(readConnection(labPaths()).kubeconfig);

/** What a test may change of a run. */
export interface RunShape {
  readonly driver: string;
  readonly worker?: string;
  readonly image?: string;
  readonly driverMib?: number;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly privileged?: boolean;
  readonly deadlines?: Partial<SparkPlan["deadlines"]>;
  readonly quotaPods?: number;
  readonly workers?: number;
}

export interface MadeRun {
  readonly plan: SparkPlan;
  readonly make: () => Promise<void>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** A plan in a namespace of its own, and the call that makes its objects. */
export function shellRun(shape: RunShape): MadeRun {
  const { pi } = samplePlans();
  const run = `watch-${randomBytes(3).toString("hex")}`;
  const namespace = `demo-${run}`;
  const image = shape.image ?? IMAGE;
  const size = {
    cpu: 50,
    memory: 64,
    memoryParts: [
      { what: "driver heap", mib: 48 },
      { what: "driver overhead (as given)", mib: 16 },
    ],
  };
  const plan: SparkPlan = {
    ...pi,
    run,
    namespace,
    labels: { ...pi.labels, "mayfly.dev/run": run, "mayfly.dev/tenant": "demo", "mayfly.dev/job": pi.job },
    image: { reference: image, pullPolicy: "Never" },
    coordinator: {
      ...pi.coordinator,
      sidecars: pi.coordinator.sidecars.map((master) => ({ ...master, ...size })),
      driver: { ...pi.coordinator.driver, ...size, memory: shape.driverMib ?? 64 },
    },
    workers: { ...pi.workers, count: shape.workers ?? 1, container: { ...pi.workers.container, ...size } },
    secrets: [],
    deadlines: { pending: 60, image: 60, start: 60, run: 120, ...shape.deadlines },
  };
  return {
    plan,
    make: async () => {
      await apply(...objects(plan, shape));
    },
    [Symbol.asyncDispose]: async () => {
      await kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
    },
  };
}

function container(name: string, line: string, plan: SparkPlan, shape: RunShape, memory: number): object {
  return {
    name,
    image: plan.image.reference,
    imagePullPolicy: plan.image.pullPolicy,
    command: ["/busybox", "sh", "-c", line],
    securityContext: {
      privileged: shape.privileged === true,
      ...(shape.privileged === true
        ? {}
        : { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }),
    },
    resources: { limits: { cpu: "50m", memory: `${memory}Mi` } },
  };
}

function objects(plan: SparkPlan, shape: RunShape): object[] {
  const { namespace, coordinator, workers } = plan;
  const labels = (role: string) => ({ ...plan.labels, "mayfly.dev/role": role });
  const pod = (role: string, spec: object) => ({
    metadata: { labels: labels(role) },
    spec: {
      automountServiceAccountToken: false,
      terminationGracePeriodSeconds: 1,
      nodeSelector: shape.nodeSelector ?? {},
      securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: "RuntimeDefault" } },
      ...spec,
    },
  });
  const wait = "trap 'exit 143' TERM; while :; do /busybox sleep 1; done";
  return [
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: {
        name: namespace,
        labels: { ...labels("run"), "pod-security.kubernetes.io/enforce": "restricted" },
      },
    },
    ...(shape.quotaPods === undefined
      ? []
      : [
          {
            apiVersion: "v1",
            kind: "ResourceQuota",
            metadata: { name: "plan", namespace, labels: labels("run") },
            spec: { hard: { pods: String(shape.quotaPods) } },
          },
        ]),
    {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: coordinator.name, namespace, labels: labels("coordinator") },
      spec: {
        backoffLimit: 0,
        template: pod("coordinator", {
          restartPolicy: "Never",
          initContainers: coordinator.sidecars.map(({ name, memory }) => ({
            ...container(name, wait, plan, shape, memory),
            restartPolicy: "Always",
          })),
          containers: [container("driver", shape.driver, plan, shape, coordinator.driver.memory)],
        }),
      },
    },
    {
      apiVersion: "apps/v1",
      kind: "StatefulSet",
      metadata: { name: workers.name, namespace, labels: labels("worker") },
      spec: {
        serviceName: "run",
        replicas: workers.count,
        podManagementPolicy: "Parallel",
        selector: { matchLabels: { "mayfly.dev/role": "worker" } },
        template: pod("worker", {
          containers: [container("worker", shape.worker ?? wait, plan, shape, workers.container.memory)],
        }),
      },
    },
  ];
}

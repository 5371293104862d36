import { beforeAll, describe, expect, test } from "vitest";
import { jobProgram } from "../../stacks/job/program.ts";
import { graphProblems, podSpecs } from "../harness/invariants.ts";
import { containersOf } from "../harness/pod-security.ts";
import { type Graph, record } from "../harness/record.ts";
import { samplePlans } from "../harness/samples.ts";

const plans = samplePlans();
const graphs: Record<string, Graph> = {};
const SECRET = "c2VjcmV0LW9mLXRoZS1ydW4";

beforeAll(async () => {
  delete process.env["KUBECONFIG"];
  for (const [name, plan] of Object.entries(plans)) {
    graphs[name] = await record(() => jobProgram({ plan, authenticationSecret: SECRET }));
  }
});

const graphOf = (name: keyof typeof plans): Graph => {
  const graph = graphs[name];
  if (graph === undefined) throw new Error(`no graph of ${name}`);
  return graph;
};

describe.each(["pi", "wordcount", "sessions"] as const)("the stack of job %s", (name) => {
  test("keeps the rules of every graph: providers, labels, hierarchy, Pod Security restricted, requests equal limits", () => {
    expect(graphProblems(graphOf(name))).toEqual([]);
  });

  test("consists of exactly these resources", () => {
    expect(
      graphOf(name)
        .resources.map(({ type, name: resource }) => `${resource}  ${type}`)
        .sort(),
    ).toEqual([
      "kubernetes  pulumi:providers:kubernetes",
      "spark  mayfly:spark:SparkCluster",
      "spark-authentication  kubernetes:core/v1:Secret",
      "spark-coordinator  mayfly:spark:Coordinator",
      "spark-coordinator-budget  kubernetes:policy/v1:PodDisruptionBudget",
      "spark-coordinator-job  kubernetes:batch/v1:Job",
      "spark-coordinator-service  kubernetes:core/v1:Service",
      "spark-files  kubernetes:core/v1:ConfigMap",
      "spark-run  mayfly:run:RunNamespace",
      "spark-run-deny-all  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "spark-run-egress  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "spark-run-limits  kubernetes:core/v1:LimitRange",
      "spark-run-namespace  kubernetes:core/v1:Namespace",
      "spark-run-quota  kubernetes:core/v1:ResourceQuota",
      "spark-run-runner  kubernetes:core/v1:ServiceAccount",
      "spark-run-within-run  kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "spark-workers  mayfly:spark:Workers",
      "spark-workers-set  kubernetes:apps/v1:StatefulSet",
    ]);
  });

  test("tells its namespace, coordinator and workers", () => {
    expect(graphOf(name).outputs).toEqual({
      namespace: plans[name].namespace,
      coordinator: "coordinator",
      workers: "worker",
    });
  });

  test("does not hold the secret in the clear, and keeps the first one on later updates", () => {
    const { inputs, ignoreChanges } = graphOf(name).get("spark-authentication");
    expect(inputs).toMatchObject({
      type: "Opaque",
      data: { secret: { secret: Buffer.from(SECRET).toString("base64") } },
    });
    expect(ignoreChanges).toEqual(['metadata.labels["mayfly.dev/fence"]', "data"]);
    const others = graphOf(name).resources.filter((resource) => resource.name !== "spark-authentication");
    expect(JSON.stringify(others)).not.toContain(SECRET);
  });

  test("deletes by deleting the namespace, after its pods were told to stop", () => {
    for (const { type, name: resource, deletedWith } of graphOf(name).resources) {
      if (!type.startsWith("kubernetes:") || resource === "spark-run-namespace") continue;
      const first = type.endsWith(":Job") || type.endsWith(":StatefulSet");
      expect([resource, deletedWith]).toEqual([resource, first ? undefined : "spark-run-namespace"]);
    }
  });

  test("makes everything but pods at once, and pods after all that they need", () => {
    const { get, ofType } = graphOf(name);
    const parallel = ofType("").filter(
      ({ type, name: resource }) => type.startsWith("kubernetes:") && !/-(namespace|job|set)$/.test(resource),
    );
    for (const { name: resource, dependencies } of parallel) {
      expect([resource, dependencies]).toEqual([resource, ["spark-run-namespace"]]);
    }
    for (const workload of ["spark-coordinator-job", "spark-workers-set"]) {
      expect(get(workload).dependencies).toEqual(
        [
          "spark-authentication",
          "spark-files",
          "spark-run",
          "spark-run-deny-all",
          "spark-run-egress",
          "spark-run-limits",
          "spark-run-namespace",
          "spark-run-quota",
          "spark-run-runner",
          "spark-run-within-run",
        ].filter((dependency) => get(dependency).custom),
      );
    }
  });

  test("limits the namespace to exactly what its pods ask for", () => {
    const graph = graphOf(name);
    const plan = plans[name];
    const pods = podSpecs(graph);
    const sum = (resource: string, parse: (text: string) => number): number =>
      [...pods].reduce((total, [owner, pod]) => {
        const replicas = owner === "spark-workers-set" ? plan.workers.count : 1;
        const perPod = containersOf(pod).reduce(
          (amount, { resources }) => amount + parse(resources.limits[resource] ?? "0"),
          0,
        );
        return total + replicas * perPod;
      }, 0);
    const { hard } = graph.get("spark-run-quota").inputs["spec"] as { hard: Record<string, string> };
    const text = (key: string): string => hard[key] ?? "";
    for (const kind of ["requests", "limits"]) {
      expect(millicores(text(`${kind}.cpu`))).toBe(sum("cpu", millicores));
      expect(mebibytes(text(`${kind}.memory`))).toBe(sum("memory", mebibytes));
      expect(mebibytes(text(`${kind}.ephemeral-storage`))).toBe(sum("ephemeral-storage", mebibytes));
    }
    expect(hard).toMatchObject({
      pods: String(1 + plan.workers.count),
      services: "1",
      "services.nodeports": "0",
      "services.loadbalancers": "0",
      secrets: String(1 + plan.secrets.length),
      resourcequotas: "1",
    });
  });

  test("never lets a pod outgrow the node's disk unnoticed: container limits cover its emptyDirs", () => {
    for (const pod of podSpecs(graphOf(name)).values()) {
      const limit = containersOf(pod).reduce(
        (total, { resources }) => total + mebibytes(resources.limits["ephemeral-storage"] ?? "0"),
        0,
      );
      const emptyDirs = pod.volumes.reduce((total, volume) => {
        const { sizeLimit } = (volume["emptyDir"] ?? {}) as { sizeLimit?: string };
        return total + (sizeLimit === undefined ? 0 : mebibytes(sizeLimit));
      }, 0);
      expect(limit).toBeGreaterThan(emptyDirs);
    }
  });
});

function millicores(text: string): number {
  return text.endsWith("m") ? Number(text.slice(0, -1)) : Number(text) * 1000;
}

function mebibytes(text: string): number {
  const factors: Readonly<Record<string, number>> = { Mi: 1, Gi: 1024, Ti: 1024 * 1024 };
  const factor = factors[text.slice(-2)];
  if (factor === undefined) throw new Error(`${text} has no binary unit`);
  return Number(text.slice(0, -2)) * factor;
}

describe("the namespace of a run", () => {
  test("enforces Pod Security restricted at a pinned version in all three modes", () => {
    const { metadata } = graphOf("pi").get("spark-run-namespace").inputs as {
      metadata: { name: string; labels: Record<string, string> };
    };
    expect(metadata.name).toBe("demo-pi-11240600-k3fqz");
    for (const mode of ["enforce", "audit", "warn"]) {
      expect(metadata.labels[`pod-security.kubernetes.io/${mode}`]).toBe("restricted");
      expect(metadata.labels[`pod-security.kubernetes.io/${mode}-version`]).toBe("v1.34");
    }
  });

  test("refuses limits above requests and containers above the plan's largest", () => {
    const { limits } = graphOf("sessions").get("spark-run-limits").inputs["spec"] as { limits: unknown[] };
    const { container } = plans.sessions.workers;
    expect(limits).toEqual([
      {
        type: "Container",
        max: {
          cpu: String(container.cpu / 1000),
          memory: `${container.memory}Mi`,
          "ephemeral-storage": `${container.disk}Mi`,
        },
        maxLimitRequestRatio: { cpu: "1", memory: "1", "ephemeral-storage": "1" },
      },
      { type: "PersistentVolumeClaim", max: { storage: "100Gi" } },
    ]);
  });

  test("gives pods an account without a token", () => {
    expect(graphOf("pi").get("spark-run-runner").inputs).toMatchObject({
      metadata: { name: "runner" },
      automountServiceAccountToken: false,
    });
  });
});

describe("the coordinator", () => {
  const spec = () =>
    graphOf("wordcount").get("spark-coordinator-job").inputs["spec"] as {
      template: { metadata: { annotations: Record<string, string>; labels: Record<string, string> } };
    } & Record<string, unknown>;

  test("is one try of one pod, with a deadline behind the run's own", () => {
    expect(spec()).toMatchObject({
      backoffLimit: 0,
      completions: 1,
      parallelism: 1,
      activeDeadlineSeconds: (plans.wordcount.deadlines.run ?? 0) + 60,
      template: { spec: { restartPolicy: "Never" } },
    });
  });

  test("has the master as a sidecar, so that the driver's exit code is the pod's", () => {
    expect(spec()).toMatchObject({
      template: {
        spec: {
          initContainers: [{ name: "master", restartPolicy: "Always" }],
          containers: [{ name: "driver", command: plans.wordcount.coordinator.driver.command }],
        },
      },
    });
  });

  test("is left alone by autoscalers and drains", () => {
    expect(spec().template.metadata.annotations).toEqual({
      "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
      "karpenter.sh/do-not-disrupt": "true",
    });
    expect(graphOf("wordcount").get("spark-coordinator-budget").inputs["spec"]).toEqual({
      minAvailable: 1,
      selector: { matchLabels: { "mayfly.dev/role": "coordinator" } },
      unhealthyPodEvictionPolicy: "AlwaysAllow",
    });
    expect(spec().template.metadata.labels["mayfly.dev/role"]).toBe("coordinator");
  });

  test("is found by a name that resolves before it is ready", () => {
    expect(graphOf("wordcount").get("spark-coordinator-service").inputs["spec"]).toEqual({
      type: "ClusterIP",
      publishNotReadyAddresses: true,
      selector: { "mayfly.dev/role": "coordinator" },
      ports: [
        { name: "master", port: 7077, targetPort: 7077, protocol: "TCP" },
        { name: "master-ui", port: 8080, targetPort: 8080, protocol: "TCP" },
        { name: "driver", port: 7078, targetPort: 7078, protocol: "TCP" },
        { name: "blocks", port: 7079, targetPort: 7079, protocol: "TCP" },
        { name: "ui", port: 4040, targetPort: 4040, protocol: "TCP" },
      ],
    });
  });

  test("does not hold up the update, and neither do workers or Service", () => {
    for (const name of ["spark-coordinator-job", "spark-coordinator-service", "spark-workers-set"]) {
      expect(graphOf("wordcount").get(name).inputs).toMatchObject({
        metadata: { annotations: { "pulumi.com/skipAwait": "true" } },
      });
    }
  });
});

describe("the workers", () => {
  test("are asked for all at once", () => {
    expect(graphOf("sessions").get("spark-workers-set").inputs["spec"]).toMatchObject({
      replicas: 6,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: { "mayfly.dev/role": "worker" } },
    });
  });

  test("run in the plan's zone and pool, on spot only where the plan says so", () => {
    const pods = podSpecs(graphOf("sessions"));
    const { workers, coordinator } = plans.sessions;
    expect(pods.get("spark-workers-set")).toMatchObject({ nodeSelector: workers.placement.nodeSelector });
    expect(workers.placement.nodeSelector).toMatchObject({ "mayfly.dev/pool": "m7g-spot" });
    expect(pods.get("spark-coordinator-job")).toMatchObject({
      nodeSelector: coordinator.placement.nodeSelector,
      tolerations: [{ key: "mayfly.dev/runs", operator: "Exists", effect: "NoSchedule" }],
    });
    expect(coordinator.placement.nodeSelector).toMatchObject({ "mayfly.dev/pool": "m7g-on-demand" });
  });

  test("have a volume each that goes with the pod where the job asks for a storage class", () => {
    expect(podSpecs(graphOf("sessions")).get("spark-workers-set")?.volumes).toContainEqual({
      name: "scratch",
      ephemeral: {
        volumeClaimTemplate: {
          metadata: { labels: { ...plans.sessions.labels, "mayfly.dev/role": "worker" } },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "gp3",
            resources: { requests: { storage: "100Gi" } },
          },
        },
      },
    });
    expect(graphOf("sessions").get("spark-run-quota").inputs["spec"]).toMatchObject({
      hard: { persistentvolumeclaims: "7", "requests.storage": "700Gi" },
    });
  });
});

describe("containers", () => {
  test("know their address before the plan's variables, which may use it", () => {
    for (const pod of podSpecs(graphOf("sessions")).values()) {
      for (const container of containersOf(pod)) {
        expect((container["env"] as unknown[]).slice(0, 2)).toEqual([
          { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
          { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
        ]);
      }
    }
  });

  test("read secrets by reference, and only those that run the customer's code", () => {
    const reference = {
      name: "GEO_API_KEY",
      valueFrom: { secretKeyRef: { name: "geo-api", key: "token" } },
    };
    for (const pod of podSpecs(graphOf("sessions")).values()) {
      for (const container of pod.containers) expect(container["env"]).toContainEqual(reference);
      for (const container of pod.initContainers) expect(container["env"]).not.toContainEqual(reference);
    }
  });

  test("have the tenant's cloud identity only where they run the customer's code", () => {
    const mount = {
      name: "web-identity",
      mountPath: "/var/run/secrets/mayfly/web-identity",
      readOnly: true,
    };
    for (const pod of podSpecs(graphOf("sessions")).values()) {
      expect(pod.volumes).toContainEqual({
        name: "web-identity",
        projected: {
          defaultMode: 0o440,
          sources: [{ serviceAccountToken: { audience: "sts.amazonaws.com", path: "token" } }],
        },
      });
      for (const container of pod.containers) expect(container["volumeMounts"]).toContainEqual(mount);
      for (const container of pod.initContainers) expect(container["volumeMounts"]).not.toContainEqual(mount);
    }
    for (const pod of podSpecs(graphOf("wordcount")).values()) {
      expect(pod.volumes.map(({ name }) => name)).not.toContain("web-identity");
    }
  });
});

// What is in the cluster is taken away by others, or does not go.
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execute } from "../../../base/process.ts";
import { LAB } from "../../../lab/settings.ts";
import { eventually, kubectl, labEnvironment } from "../../lab/pods.ts";
import { phase, send } from "../processes.ts";
import type { Fault, Scene } from "../types.ts";

const group = "cluster";

/** The pods of a part of the run: `coordinator` or `worker`. */
const selector = (part: string): string => `mayfly.dev/role=${part}`;

/** Kills a pod of a running job, as a lost node would. */
const podKilled =
  (part: string) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await helper.until(phase("running"));
    const which = ["--namespace", scene.namespace(), "--selector", selector(part)];
    const deleted = await kubectl([
      "delete",
      "pods",
      ...which,
      "--grace-period=0",
      "--force",
      "--wait=false",
    ]);
    scene.require(deleted.includes("deleted"), `there was no pod of the ${part}`);
    await helper.exit;
  };

/** For as long as `work` takes. */
async function cordoned(work: () => Promise<void>): Promise<void> {
  await kubectl(["cordon", LAB.nodeName]);
  try {
    await work();
  } finally {
    await kubectl(["uncordon", LAB.nodeName]);
  }
}

/** A process of the lab, by its record. */
async function pidOf(part: string): Promise<number> {
  const { stdout } = await execute("pgrep", ["-x", part]);
  const pid = Number(stdout.split("\n")[0]);
  if (!Number.isInteger(pid) || pid <= 0) throw new Error(`the lab's ${part} does not run`);
  return pid;
}

/** The real thing: everybody's. */
const frozen =
  (part: string, ms: number) =>
  async (scene: Scene): Promise<void> => {
    const helper = await scene.start();
    await helper.until(({ type }) => type === "resource");
    const pid = await pidOf(part);
    send(pid, "SIGSTOP");
    try {
      await sleep(ms);
    } finally {
      send(pid, "SIGCONT");
    }
    await helper.exit;
  };

/** Kubernetes' own in every namespace: the quota of a run's namespace has no room for another one. */
const HELD = "kube-root-ca.crt";

const setFinalizers = async (namespace: string, finalizers: readonly string[] | null): Promise<void> => {
  const patch = JSON.stringify({ metadata: { finalizers } });
  await kubectl(["patch", "configmap", HELD, "--namespace", namespace, "--type=merge", "--patch", patch]);
};

/** Settings of a helper that does not wait long for what does not go. */
const SOON = { MAYFLY_REMOVAL_SECONDS: "30" } as const;

/** An object in the run's namespace that nobody lets go, until the helper's end. */
async function holdNamespace(scene: Scene): Promise<void> {
  const namespace = scene.namespace();
  await setFinalizers(namespace, ["example.com/never"]);
  scene.afterwards(async () => {
    await setFinalizers(namespace, null);
    await eventually("end of the namespace", async () => {
      const found = await kubectl(["get", "namespaces", "--output", "name"]);
      return found.includes(`namespace/${namespace}\n`) ? undefined : true;
    });
  });
}

/** Of which namespaces can't be emptied meanwhile: https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/ */
const DEAD_API = (name: string) => ({
  apiVersion: "apiregistration.k8s.io/v1",
  kind: "APIService",
  metadata: { name },
  spec: {
    group: "nowhere.mayfly.dev",
    version: "v1",
    groupPriorityMinimum: 100,
    versionPriority: 100,
    insecureSkipTLSVerify: true,
    service: { namespace: "default", name: "nowhere" },
  },
});

export const clusterFaults: readonly Fault[] = [
  {
    name: "worker's pod killed",
    group,
    seconds: 8,
    inject: podKilled("worker"),
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "driver's pod killed, no further attempts",
    group,
    quick: true,
    seconds: 600,
    job: { retries: { infrastructure: 0 } },
    inject: podKilled("coordinator"),
    expect: ["lost", "infrastructure"],
    within: 120,
  },
  {
    name: "driver's pod killed, one more attempt",
    group,
    seconds: 8,
    job: { retries: { infrastructure: 1 } },
    inject: podKilled("coordinator"),
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "namespace deleted by hand while the job runs",
    group,
    quick: true,
    seconds: 600,
    job: { retries: { infrastructure: 0 } },
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      await kubectl(["delete", "namespace", scene.namespace(), "--wait=false"]);
      await helper.exit;
    },
    expect: ["lost", "infrastructure"],
    within: 120,
  },
  {
    name: "finalizer that never ends on a ConfigMap",
    group,
    seconds: 3,
    inject: async (scene) => {
      const helper = await scene.start(SOON);
      await helper.until(phase("running"));
      await holdNamespace(scene);
      const { code } = await helper.exit;
      // Told, not forced: https://kubernetes.io/docs/concepts/overview/working-with-objects/finalizers/
      scene.require(code === 21, `exit code ${code ?? "none"} in place of 21, something left behind`);
      scene.require(helper.said().includes(HELD), "the report does not name the ConfigMap");
    },
    expect: ["succeeded"],
    within: 120,
  },
  {
    name: "finalizer that never ends on a ConfigMap of a worker's run",
    group,
    seconds: 3,
    inject: async (scene) => {
      const run = await scene.submit();
      const worker = scene.worker("first", { env: SOON });
      await worker.until(phase("running"));
      await holdNamespace(scene);
      await worker.exit;
      const { code, said } = await scene.mayfly("wait", run);
      scene.require(code === 21, `mayfly wait ended with ${code ?? "none"} in place of 21`);
      scene.require(worker.said().includes(HELD), `nobody names the ConfigMap: ${said}`);
    },
    expect: ["succeeded"],
    within: 180,
  },
  {
    name: "a namespace of the run's name is there already, another's",
    group,
    quick: true,
    inject: async (scene) => {
      const run = `${scene.place.name}-taken`;
      const namespace = `demo-${run}`;
      await kubectl(["create", "namespace", namespace]);
      await kubectl(["create", "configmap", "theirs", "--namespace", namespace]);
      scene.afterwards(async () => {
        const left = await kubectl(["get", "configmaps", "--namespace", namespace, "--output", "name"]);
        scene.require(left.includes("configmap/theirs"), "somebody else's namespace was touched");
        await kubectl(["delete", "namespace", namespace, "--wait=false"]);
      });
      const args = [join("test", "faults", "run-with-id.ts"), await scene.job(), run];
      const { code } = await scene.launch("first", process.execPath, args).exit;
      scene.require(code === 65, `exit code ${code ?? "none"} in place of 65`);
    },
    expect: ["not begun"],
    within: 60,
  },
  {
    name: "the driver floods its log, 200 MB",
    group,
    job: { arguments: ["--flood", "1"] },
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.exit;
      const peak = helper.peakMib();
      // A quiet run's takes 100 to 130; what the kubelet kept of the log, some tens of MiB, is sent on in parts of 5 MiB.
      scene.require(peak > 0 && peak < 320, `the helper took ${peak} MiB`);
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "an aggregated API of the cluster is dead while the run is destroyed",
    group,
    alone: true,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      const name = "v1.nowhere.mayfly.dev";
      await kubectl(["apply", "--filename=-"], JSON.stringify(DEAD_API(name)));
      try {
        await helper.until(phase("verifying"));
        await sleep(5000);
      } finally {
        await kubectl(["delete", "apiservice", name]);
      }
      await helper.exit;
    },
    expect: ["succeeded"],
    // Pulumi waits for the namespace for two minutes; Kubernetes, whose pauses between tries double, looks again after up to 164 s.
    within: 230,
  },
  {
    name: "the kubelet frozen for 15 s while pods start",
    group,
    alone: true,
    inject: frozen("kubelet", 15_000),
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "node cordoned before submit, uncordoned 15 s later",
    group,
    alone: true,
    inject: async (scene) => {
      await cordoned(async () => {
        const helper = await scene.start();
        await Promise.race([sleep(15_000), helper.exit]);
      });
    },
    expect: ["succeeded", "unschedulable"],
    within: 150,
  },
  {
    name: "node drained of the run's pods for 15 s",
    group,
    alone: true,
    seconds: 20,
    inject: async (scene) => {
      const helper = await scene.start();
      await helper.until(phase("running"));
      const pods = `mayfly.dev/run=${helper.events[0]?.run ?? ""}`;
      const args = [LAB.nodeName, "--pod-selector", pods, "--timeout=15s"];
      await cordoned(async () => {
        const drained = await execute(
          "kubectl",
          ["drain", ...args, "--ignore-daemonsets", "--delete-emptydir-data", "--force"],
          { env: labEnvironment() },
        );
        // The driver's budget holds it off; the worker goes and waits for a node.
        scene.require(drained.code !== 0, "the driver was evicted, although its budget forbids it");
      });
      await helper.exit;
    },
    expect: ["succeeded"],
    within: 150,
  },
  {
    name: "the real API server frozen for 10 s while objects are made",
    group,
    alone: true,
    inject: frozen("kube-apiserver", 10_000),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
  {
    name: "etcd frozen for 10 s while objects are made",
    group,
    alone: true,
    inject: frozen("etcd", 10_000),
    expect: ["succeeded", "infrastructure"],
    within: 180,
  },
];

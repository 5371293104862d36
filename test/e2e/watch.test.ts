import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parse, stringify } from "yaml";
import {
  type Cluster,
  checkCluster,
  containerLogs,
  deliverSecrets,
  findLeftovers,
  lastLines,
  namespaceState,
  openCluster,
  removeNamespace,
  type WatchResult,
  waitGone,
  watchRun,
} from "../../jobs/watch/index.ts";
import { containing } from "../harness/expect.ts";
import { importBusybox, kubectl } from "../lab/pods.ts";
import { holdNodes } from "./nodes.ts";
import { type MadeRun, openLab, type RunShape, shellRun } from "./watch-run.ts";

const SLEEP = "echo working; trap 'exit 143' TERM; while :; do /busybox sleep 1; done";
const PENDING_FOREVER = { "mayfly.dev/pool": "nowhere" };

let cluster: Cluster;
beforeAll(async () => {
  cluster = await openLab();
  await checkCluster(cluster);
  await importBusybox();
});
afterAll(() => {
  // Undefined where the lab is not up.
  (cluster as Cluster | undefined)?.close();
});

interface Seen extends WatchResult {
  readonly seconds: number;
  readonly phases: readonly string[];
  readonly states: readonly string[];
  readonly log: readonly string[];
  readonly warnings: readonly string[];
}

/** Makes the objects while the watch looks on, as the helper does; `meanwhile` runs once the driver shows life. */
async function watched(made: MadeRun, meanwhile?: () => Promise<unknown>, through = cluster): Promise<Seen> {
  const began = performance.now();
  const seen = {
    phases: [] as string[],
    states: [] as string[],
    log: [] as string[],
    warnings: [] as string[],
  };
  let disturbed: Promise<unknown> = Promise.resolve();
  const watching = watchRun(through, made.plan, {
    startedAt: new Date(),
    signal: AbortSignal.timeout(150_000),
    sink: {
      phase: (phase) => {
        seen.phases.push(phase);
        if (phase === "running" && meanwhile !== undefined) disturbed = meanwhile();
      },
      pod: (pod, _role, state) => seen.states.push(`${pod}: ${state}`),
      log: (_source, line) => seen.log.push(line),
      warning: (message) => seen.warnings.push(message),
    },
  });
  await made.make();
  const result = await watching;
  await disturbed;
  return { ...result, ...seen, seconds: (performance.now() - began) / 1000 };
}

async function outcomeOf(shape: RunShape, meanwhile?: (made: MadeRun) => Promise<unknown>) {
  await using made = shellRun(shape);
  const seen = await watched(made, meanwhile === undefined ? undefined : () => meanwhile(made));
  console.info(
    JSON.stringify({
      outcome: seen.outcome,
      seconds: seen.seconds,
      states: seen.states,
      warnings: seen.warnings,
    }),
  );
  return seen;
}

describe("the outcome of real pods", () => {
  it("is a success by the driver's exit code 0 while the master sidecar still runs", async () => {
    const seen = await outcomeOf({ driver: "echo one; echo two; /busybox sleep 3; echo three; exit 0" });
    expect(seen.outcome).toEqual({ kind: "succeeded" });
    expect(seen.phases).toEqual(["starting", "running"]);
    expect(seen.log).toEqual(["one", "two", "three"]);
  });

  it("is the user's failure with the driver's own exit code", async () => {
    const seen = await outcomeOf({ driver: "echo working; exit 42" });
    expect(seen.outcome).toMatchObject({ kind: "user-failure", exitCode: 42 });
  });

  it("names the exception that stands last in the log, though the driver ends right after it", async () => {
    const seen = await outcomeOf({
      driver: `/busybox printf 'Traceback (most recent call last):\\n  File "a.py", line 1, in <module>\\nValueError: the month has no day 31\\n'; exit 1`,
    });
    expect(seen.outcome).toMatchObject({
      kind: "user-failure",
      exception: "ValueError: the month has no day 31",
    });
  });

  it("is out of memory when the kernel kills the driver", async () => {
    const seen = await outcomeOf({ driver: "echo working; exec /busybox tail /dev/zero", driverMib: 24 });
    expect(seen.outcome).toMatchObject({ kind: "out-of-memory", container: "driver", limitMib: 24 });
  });

  it("is out of memory when the kernel kills a child of the driver and the driver passes its code on", async () => {
    const seen = await outcomeOf({ driver: "echo working; /busybox tail /dev/zero; exit $?", driverMib: 24 });
    expect(seen.outcome).toMatchObject({ kind: "out-of-memory", container: "driver" });
  });

  it("is an image at once where it may not be pulled", async () => {
    const seen = await outcomeOf({ driver: "true", image: "mayfly.dev/spark:not-there" });
    expect(seen.outcome).toMatchObject({ kind: "image", image: "mayfly.dev/spark:not-there" });
    expect(seen.seconds).toBeLessThan(20);
  });

  it("is unschedulable at the pending deadline, with what is missing", async () => {
    // The scheduler tells of each node that there is.
    onTestFinished(await holdNodes());
    const seen = await outcomeOf({
      driver: "true",
      nodeSelector: PENDING_FOREVER,
      deadlines: { pending: 4 },
    });
    expect(seen.outcome).toMatchObject({ kind: "unschedulable", missing: "a node with the pool's labels" });
  });

  it("is refused by a quota of one pod within a minute", async () => {
    const seen = await outcomeOf({ driver: SLEEP, quotaPods: 1, workers: 2 });
    expect(seen.outcome).toMatchObject({ kind: "refused", by: "quota" });
    expect(seen.seconds).toBeLessThan(60);
  });

  it("is refused by Pod Security", async () => {
    const seen = await outcomeOf({ driver: SLEEP, privileged: true });
    expect(seen.outcome).toMatchObject({ kind: "refused", by: "policy" });
    expect(seen.seconds).toBeLessThan(20);
  });

  it("is lost when the namespace is deleted by hand", async () => {
    const seen = await outcomeOf({ driver: SLEEP }, ({ plan }) =>
      kubectl(["delete", "namespace", plan.namespace, "--wait=false"]),
    );
    expect(seen.outcome).toMatchObject({ kind: "lost", message: containing("Namespace") });
  });

  it("is lost when the driver's pod is deleted, even if its program then ends with 0", async () => {
    const polite = "echo working; trap 'exit 0' TERM; while :; do /busybox sleep 0.2; done";
    const seen = await outcomeOf({ driver: polite }, ({ plan }) =>
      kubectl([
        "delete",
        "pod",
        "--namespace",
        plan.namespace,
        "--selector",
        "mayfly.dev/role=coordinator",
        "--wait=false",
      ]),
    );
    expect(seen.outcome).toMatchObject({ kind: "lost" });
  });

  it("is lost when the pod is evicted", async () => {
    const seen = await outcomeOf({ driver: SLEEP }, async ({ plan }) => {
      const name = (
        await kubectl([
          "get",
          "pods",
          "--namespace",
          plan.namespace,
          "--selector",
          "mayfly.dev/role=coordinator",
          "--output",
          "name",
        ])
      )
        .trim()
        .replace("pod/", "");
      await cluster.api.send("POST", `/api/v1/namespaces/${plan.namespace}/pods/${name}/eviction`, {
        body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: plan.namespace } },
      });
    });
    expect(seen.outcome).toMatchObject({
      kind: "lost",
      message: containing("EvictionByEvictionAPI"),
    });
  });

  it("is the run's deadline", async () => {
    const seen = await outcomeOf({ driver: SLEEP, deadlines: { run: 12 } });
    expect(seen.outcome).toMatchObject({
      kind: "deadline",
      phase: "run",
      message: containing("working"),
    });
  });

  it("measures what the pods use", async () => {
    const seen = await outcomeOf({
      driver: "echo working; i=0; while [ $i -lt 60 ]; do i=$((i+1)); /busybox sleep 0.3; done",
    });
    const coordinator = Object.values(seen.observed.pods).find(({ view }) => view.role === "coordinator");
    expect(coordinator?.usage["driver"]?.peakMemoryMib).toBeGreaterThan(0);
    expect(coordinator?.usage["driver"]?.cpuSeconds).toBeGreaterThan(0);
  });
});

describe("a watch whose API server goes away", () => {
  it("goes on through dropped connections and an outage, with every log line once", async () => {
    await using proxy = await proxied();
    await using made = shellRun({
      driver: "i=0; while [ $i -lt 12 ]; do i=$((i+1)); echo line $i; /busybox sleep 1; done; exit 7",
    });
    const seen = await watched(
      made,
      async () => {
        await sleep(1500);
        proxy.dropAll();
        await sleep(1500);
        await proxy.down();
        await sleep(4000);
        await proxy.up();
      },
      proxy.cluster,
    );
    expect(seen.outcome).toMatchObject({ kind: "user-failure", exitCode: 7 });
    expect(seen.log).toEqual(Array.from({ length: 12 }, (_, index) => `line ${index + 1}`));
    expect(seen.warnings).toEqual(
      expect.arrayContaining([containing("does not answer"), containing("answers again")]),
    );
  });
});

describe("the end of a run", () => {
  it("finds what is left, says what blocks, removes only its own namespace, and sees it gone", async () => {
    await using made = shellRun({ driver: SLEEP });
    const { plan } = made;
    expect(await namespaceState(cluster, plan.namespace)).toEqual({ kind: "absent" });
    await made.make();
    expect(await namespaceState(cluster, plan.namespace)).toMatchObject({
      kind: "ours",
      run: plan.run,
      terminating: false,
    });
    await kubectl(["create", "configmap", "held", "--namespace", plan.namespace]);
    await kubectl([
      "patch",
      "configmap",
      "held",
      "--namespace",
      plan.namespace,
      "--patch",
      '{"metadata":{"finalizers":["example.com/hold"]}}',
    ]);

    const { objects, unknown } = await findLeftovers(cluster, plan);
    const kinds = new Set(objects.map(({ kind }) => kind));
    expect([...kinds]).toEqual(expect.arrayContaining(["Namespace", "Job", "StatefulSet", "ConfigMap"]));
    expect(unknown).toEqual([]);

    await expect(
      removeNamespace(cluster, { run: "another", namespace: plan.namespace }),
    ).rejects.toMatchObject({ code: "namespace-foreign" });
    await expect(
      removeNamespace(cluster, { run: "another", namespace: "kube-system" }),
    ).rejects.toMatchObject({ code: "namespace-foreign" });
    expect(await removeNamespace(cluster, plan)).toBe(true);
    const blocked = await waitGone(cluster, plan.namespace, AbortSignal.timeout(8000));
    expect(blocked.join("\n")).toContain("ConfigMap held: held by finalizer example.com/hold");

    await kubectl([
      "patch",
      "configmap",
      "held",
      "--namespace",
      plan.namespace,
      "--type=merge",
      "--patch",
      '{"metadata":{"finalizers":null}}',
    ]);
    expect(await waitGone(cluster, plan.namespace, AbortSignal.timeout(60_000))).toEqual([]);
    expect(await removeNamespace(cluster, plan)).toBe(false);
    expect(await findLeftovers(cluster, plan)).toEqual({ objects: [], unknown: [] });
  });

  it("gives every container's whole log", async () => {
    await using made = shellRun({ driver: "echo driver line; exit 0" });
    await watched(made);
    const logs = new Map<string, string>();
    for await (const { container, text } of containerLogs(cluster, made.plan.namespace, {
      maxBytes: 1_000_000,
      signal: AbortSignal.timeout(20_000),
    })) {
      let whole = "";
      for await (const chunk of text) whole += Buffer.from(chunk).toString("utf8");
      logs.set(container, whole);
    }
    expect([...logs.keys()].toSorted()).toEqual(["driver", "master", "worker"]);
    expect(logs.get("driver")).toBe("driver line\n");
    const pod = await kubectl([
      "get",
      "pods",
      "--namespace",
      made.plan.namespace,
      "--selector",
      "mayfly.dev/role=coordinator",
      "--output",
      "jsonpath={.items[0].metadata.name}",
    ]);
    expect(
      await lastLines(cluster, { namespace: made.plan.namespace, pod, container: "driver", lines: 5 }),
    ).toEqual(["driver line"]);
  });
});

describe("secrets of a tenant", () => {
  it("are copied into the run's namespace by name, and a missing one is named", async () => {
    await using made = shellRun({ driver: SLEEP });
    await using source = shellRun({ driver: SLEEP });
    await source.make();
    const from = source.plan.namespace;
    await kubectl([
      "create",
      "secret",
      "generic",
      "database",
      "--namespace",
      from,
      "--from-literal=password=hunter2",
    ]);
    const plan = { ...made.plan, secrets: [{ fromNamespace: from, name: "database" }] };
    const delivering = deliverSecrets(cluster, plan, { signal: AbortSignal.timeout(30_000) });
    await sleep(300);
    await made.make();
    await delivering;
    await deliverSecrets(cluster, plan, { signal: AbortSignal.timeout(30_000) });
    const copied = await kubectl([
      "get",
      "secret",
      "database",
      "--namespace",
      plan.namespace,
      "--output",
      "jsonpath={.data.password}",
    ]);
    expect(Buffer.from(copied, "base64").toString()).toBe("hunter2");

    const missing = { ...plan, secrets: [{ fromNamespace: from, name: "nowhere" }] };
    await expect(
      deliverSecrets(cluster, missing, { signal: AbortSignal.timeout(30_000) }),
    ).rejects.toMatchObject({
      code: "secret-missing",
      message: `Secret nowhere is not in namespace ${from}.`,
    });
  });
});

/** The lab's API server behind a door that can be slammed. */
async function proxied() {
  const real = await openLab();
  const target = new URL(real.server);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream).pipe(client);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => {
      server.listen(port, "127.0.0.1", resolve);
    });
  await listen(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const folder = await mkdtemp(join(tmpdir(), "mayfly-watch-"));
  const config: unknown = parse(await readFile(real.credentials.kubeconfig, "utf8"));
  const text = stringify(config).replace(real.server, `https://127.0.0.1:${port}`);
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, text, { mode: 0o600 });
  real.close();
  const cluster = await openCluster(kubeconfig);
  const dropAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
      dropAll();
    });
  return {
    cluster,
    dropAll,
    down,
    up: () => listen(port),
    [Symbol.asyncDispose]: async () => {
      cluster.close();
      await down();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { readFileSync, statSync } from "node:fs";
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { PARTS } from "../../lab/cluster/health.ts";
import { parseCredentials, S3_URL } from "../../lab/cluster/s3.ts";
import { supervisionOf } from "../../lab/cluster/up.ts";
import { runningRecord } from "../../lab/host/supervise.ts";
import { labEnv, labStatus, labUp } from "../../lab/index.ts";
import { labPaths } from "../../lab/paths.ts";
import { BUCKETS } from "../../lab/settings.ts";
import { apply, importBusybox, kubectl, outcome, shellPod, temporaryNamespace } from "./pods.ts";

const paths = labPaths();
const pidOf = (part: string): number | undefined => runningRecord(supervisionOf(paths), part)?.pid;

/** Kills parts and waits until they are dead: one that holds much memory still answers for some milliseconds after SIGKILL. */
async function killHard(...parts: readonly string[]): Promise<void> {
  for (const part of parts) {
    const pid = pidOf(part);
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  }
  await vi.waitFor(
    () => {
      expect(parts.map(pidOf)).toEqual(parts.map(() => undefined));
    },
    { timeout: 5000, interval: 5 },
  );
}

beforeAll(async () => {
  await labUp();
  await importBusybox();
});

describe("a lab that is up", () => {
  test("is left alone by another `lab up`, within two seconds", async () => {
    const pids = PARTS.map(pidOf);
    const { started, elapsedMs } = await labUp();
    expect(started).toEqual([]);
    expect(PARTS.map(pidOf)).toEqual(pids);
    // Two seconds on an idle machine; the tests' own load is not what is measured here.
    expect(elapsedMs).toBeLessThan(4000);
  });

  test("is healthy in every part, and two `lab up` at once agree", async () => {
    const results = await Promise.all([labUp(), labUp()]);
    expect(results.map(({ started }) => started)).toEqual([[], []]);
    const { state, parts } = await labStatus();
    expect(parts.filter(({ healthy }) => !healthy)).toEqual([]);
    expect(state).toBe("up");
  });

  test("keeps secrets to its owner", () => {
    for (const path of [paths.passphrase, paths.kubeconfig, paths.s3Credentials, `${paths.config}/s3-root`]) {
      expect(statSync(path).mode & 0o777, path).toBe(0o600);
    }
    const env = labEnv();
    expect(env).toContain("export KUBECONFIG=");
    expect(env).not.toContain(readFileSync(paths.passphrase, "utf8").trim());
    for (const part of PARTS) {
      const commandLine = readFileSync(`/proc/${pidOf(part) ?? ""}/cmdline`, "latin1");
      expect(commandLine).not.toMatch(/SECRET_ACCESS_KEY=|PRIVATE KEY/);
    }
  });
});

describe("the cluster", () => {
  test("has one ready node with the labels that plans place by", async () => {
    const labels = await kubectl(["get", "node", "mayfly-lab", "--output", "jsonpath={.metadata.labels}"]);
    expect(JSON.parse(labels)).toMatchObject({
      "kubernetes.io/hostname": "mayfly-lab",
      "topology.kubernetes.io/zone": "lab-a",
      "topology.kubernetes.io/region": "lab",
      "node.kubernetes.io/instance-type": "lab",
      "mayfly.dev/pool": "default",
    });
  });

  test("tells what its node uses, by a metrics server whose certificate the API server checks", async () => {
    // Two looks at the kubelet, ten seconds apart, after it was started.
    await vi.waitFor(
      async () => {
        expect(await kubectl(["top", "node", "--no-headers"])).toMatch(/^mayfly-lab +\d+m +\d+% +\d+Mi/);
      },
      { timeout: 60_000, interval: 1000 },
    );
    const service = await kubectl([
      ...["get", "apiservice", "v1beta1.metrics.k8s.io", "--output"],
      "jsonpath={.spec.insecureSkipTLSVerify}/{.status.conditions[0].status}",
    ]);
    expect(service).toBe("/True");
  });

  test("runs pods that find the API server by DNS and reach the S3 store", async () => {
    const namespace = await temporaryNamespace("dns");
    const line = `/busybox nslookup kubernetes.default.svc.cluster.local && /busybox wget -q -O - ${S3_URL}/health`;
    await apply(shellPod(namespace.name, "looker", line));
    const { code, log } = await outcome(namespace.name, "looker");
    await namespace.remove();
    expect(log).toContain("10.96.0.1");
    expect(code).toBe(0);
  });
});

describe("the store", () => {
  const clientOf = (profile: string): S3Client => {
    const credentials = parseCredentials(readFileSync(paths.s3Credentials, "utf8")).get(profile);
    if (credentials === undefined) throw new Error(`no profile ${profile}`);
    return new S3Client({ endpoint: S3_URL, region: "us-east-1", forcePathStyle: true, credentials });
  };
  const put = async (client: S3Client, Bucket: string): Promise<number | undefined> =>
    (await client.send(new PutObjectCommand({ Bucket, Key: "lab-test/note", Body: "hello" }))).$metadata
      .httpStatusCode;

  test("has buckets that the tenant may use, and one that it may not even look into", async () => {
    const demo = clientOf("demo");
    for (const bucket of ["demo-input", "demo-output", "demo-code"])
      expect(await put(demo, bucket)).toBe(200);
    await expect(put(demo, "mayfly-logs")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(demo.send(new ListObjectsV2Command({ Bucket: "mayfly-logs" }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    await expect(demo.send(new DeleteBucketCommand({ Bucket: "demo-input" }))).rejects.toMatchObject({
      name: "AccessDenied",
    });
    expect(await put(clientOf("mayfly"), "mayfly-logs")).toBe(200);
    const owner = clientOf("mayfly");
    for (const { name: Bucket } of BUCKETS) {
      await owner.send(new DeleteObjectCommand({ Bucket, Key: "lab-test/note" }));
    }
  });
});

describe("network policy", () => {
  const PORT = 8080;
  let namespace: Awaited<ReturnType<typeof temporaryNamespace>> | undefined;
  let address = "";

  const name = (): string => namespace?.name ?? "";
  const ask = async (pod: string, labels = {}): Promise<number> => {
    // wget's own -T crashes in a static busybox; and the shell must stay, since process 1 of a pod can't be killed from inside.
    const line = `/busybox timeout 3 /busybox wget -q -O - http://${address}:${PORT}/hostname; exit $?`;
    await apply(shellPod(name(), pod, line, labels));
    return (await outcome(name(), pod)).code;
  };
  const policy = (policyName: string, spec: object): object => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: policyName, namespace: name() },
    spec,
  });

  beforeAll(async () => {
    namespace = await temporaryNamespace("policy");
    await apply(shellPod(name(), "server", `exec /busybox httpd -f -p ${PORT} -h /etc`));
    await kubectl(["wait", "--namespace", name(), "--for=condition=Ready", "pod/server", "--timeout=60s"]);
    address = await kubectl([
      "get",
      "pod",
      "server",
      "--namespace",
      name(),
      "--output",
      "jsonpath={.status.podIP}",
    ]);
  });
  afterAll(async () => {
    await namespace?.remove();
  });

  test("without one, pods reach each other (the control)", async () => {
    expect(await ask("before")).toBe(0);
  });

  test("default deny blocks, and an allow for a label lets only that through", async () => {
    await apply(policy("default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] }));
    expect(await ask("denied")).not.toBe(0);
    await apply(
      policy("friends", {
        podSelector: {},
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ podSelector: { matchLabels: { friend: "yes" } } }] }],
        egress: [{ to: [{ podSelector: {} }] }],
      }),
    );
    expect(await ask("friend", { friend: "yes" })).toBe(0);
    expect(await ask("stranger")).not.toBe(0);
  });
});

describe("after kill -9 of a part, `lab up` heals", () => {
  test.each(PARTS)("%s", async (part) => {
    const before = pidOf(part);
    expect(before).toBeDefined();
    await killHard(part);
    const { started } = await labUp();
    expect(started).toContain(part);
    expect(pidOf(part)).not.toBe(before);
    expect((await labStatus()).state).toBe("up");
  });

  test("all of them at once, and pods still run", async () => {
    await killHard(...PARTS);
    await labUp();
    const namespace = await temporaryNamespace("healed");
    await apply(shellPod(namespace.name, "alive", "echo alive"));
    const { code, log } = await outcome(namespace.name, "alive");
    await namespace.remove();
    expect([code, log.trim()]).toEqual([0, "alive"]);
  });
});

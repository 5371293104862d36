import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as kubernetes from "@pulumi/kubernetes";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { childEnv, execute } from "../../base/process.ts";
import { STARTUP_TAINT } from "../../components/nodes/taints.ts";
import { StartupTaint, SYSTEM_NAMESPACE } from "../../components/platform/startup-taint.ts";
import { importImages, programArchive } from "../../lab/cluster/images.ts";
import { PAUSE_IMAGE } from "../../lab/cluster/node.ts";
import { pulumiVariables, readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { LAB } from "../../lab/settings.ts";
import { labStatus } from "../../lab/status.ts";
import { provideTools } from "../../lab/tools/index.ts";
import { type Scratch, scratchProject } from "../harness/lab-pulumi.ts";

const KUBECTL_IMAGE = "mayfly.dev/kubectl:test";
const TAINT = `${STARTUP_TAINT.key}=${STARTUP_TAINT.value}:${STARTUP_TAINT.effect}`;
const NODE = LAB.nodeName;

/** What kubectl says; where it fails, what it complains of, after the word `refused`. */
async function attempt(...args: string[]): Promise<string> {
  const connection = readConnection(labPaths());
  const path = [...connection.path, childEnv()["PATH"] ?? ""].join(":");
  const env = childEnv({ ...pulumiVariables(connection), PATH: path });
  const { code, stdout, stderr } = await execute("kubectl", args, { env });
  return code === 0 ? `allowed: ${stdout.trim()}` : `refused: ${stderr.trim()}`;
}

async function kubectl(...args: string[]): Promise<string> {
  const said = await attempt(...args);
  if (said.startsWith("refused")) throw new Error(`kubectl ${args.join(" ")}: ${said}`);
  return said.slice("allowed: ".length);
}

const taints = async (): Promise<string> =>
  await kubectl("get", "node", NODE, "-o", "jsonpath={.spec.taints}");

const untaint = async (): Promise<void> => {
  await attempt("taint", "node", NODE, `${STARTUP_TAINT.key}:${STARTUP_TAINT.effect}-`);
};

async function until(what: string, probe: () => Promise<boolean>, seconds = 60): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`did not happen within ${seconds} s: ${what}`);
    await sleep(250);
  }
}

/** No registry is reached from the lab: the image is made of the lab's own kubectl. */
async function importKubectl(): Promise<void> {
  const { kubectl: program } = await provideTools(["cluster"]);
  const { archive, digest } = programArchive(KUBECTL_IMAGE, "bin/kubectl", await readFile(program));
  const folder = await mkdtemp(join(tmpdir(), "mayfly-test-"));
  try {
    const file = join(folder, "kubectl.tar");
    await writeFile(file, archive);
    await importImages([{ name: KUBECTL_IMAGE, digest, archive: file }]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Stops or goes on with the lab's Felix: a node whose Calico isn't ready, and then is. */
async function felix(signal: "SIGSTOP" | "SIGCONT"): Promise<void> {
  const pid = (await labStatus()).parts.find(({ name }) => name === "felix")?.pid;
  if (pid === undefined) throw new Error("the lab has no Felix");
  process.kill(pid, signal);
}

async function stackOf(scratch: Scratch): Promise<Stack> {
  const program = async (): Promise<void> => {
    const provider = new kubernetes.Provider("kubernetes", {});
    new StartupTaint("startup-taint", {
      images: { kubectl: KUBECTL_IMAGE, pause: PAUSE_IMAGE, pullPolicy: "Never" },
      labels: { "app.kubernetes.io/managed-by": "mayfly", "mayfly.dev/environment": "taint-test" },
      provider,
    });
    return Promise.resolve();
  };
  return await Stack.create("test", await scratch.workspace(program));
}

/** Where a kubeconfig lies that holds this token and no other identity. */
async function asToken(token: string, folder: string): Promise<string> {
  const Config = z.object({ clusters: z.array(z.looseObject({ name: z.string() })).length(1) });
  const { clusters } = Config.parse(JSON.parse(await kubectl("config", "view", "--raw", "-o", "json")));
  const file = join(folder, "token", "kubeconfig");
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(
    file,
    JSON.stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters,
      users: [{ name: "taint", user: { token } }],
      contexts: [{ name: "taint", context: { cluster: clusters[0]?.name, user: "taint" } }],
      "current-context": "taint",
    }),
    { mode: 0o600 },
  );
  return file;
}

beforeEach(untaint);
afterEach(async () => {
  await felix("SIGCONT");
  await untaint();
});

test("the start-up taint stays until Calico answers on the node, then goes, and its account can do nothing else", async () => {
  await using scratch = await scratchProject({
    "Pulumi.yaml": JSON.stringify({ name: "startup-taint", runtime: "nodejs" }),
  });
  const stack = await stackOf(scratch);
  await importKubectl();
  await kubectl("taint", "node", NODE, TAINT);
  await felix("SIGSTOP");
  try {
    await stack.up({ color: "never" });
    const pod = ["--namespace", SYSTEM_NAMESPACE, "get", "pod", "-o"];
    await until("the pod's first container runs, on the tainted node", async () =>
      (await kubectl(...pod, "jsonpath={.items[*].status.initContainerStatuses[0].state}")).includes(
        "running",
      ),
    );
    await sleep(4000);
    expect(await taints()).toContain(STARTUP_TAINT.key);

    await felix("SIGCONT");
    await until("the taint goes", async () => !(await taints()).includes(STARTUP_TAINT.key));
    await until("the pod is ready", async () =>
      (await kubectl(...pod, "jsonpath={.items[*].status.containerStatuses[*].ready}")).includes("true"),
    );

    const name = await kubectl(...pod, "jsonpath={.items[0].metadata.name}");
    const token = ["--namespace", SYSTEM_NAMESPACE, "create", "token", "startup-taint"];
    const bound = await kubectl(...token, "--bound-object-kind=Pod", `--bound-object-name=${name}`);
    const own = ["--kubeconfig", await asToken(bound, scratch.folder)];
    const patch = (body: object): string[] => [
      "patch",
      "node",
      NODE,
      "--type=merge",
      "-p",
      JSON.stringify(body),
    ];

    expect(
      await attempt(...own, ...patch({ metadata: { labels: { "mayfly.dev/pool": "theirs" } } })),
    ).toMatch(/^refused: .*may not change metadata\.labels/s);
    expect(await attempt(...own, ...patch({ metadata: { annotations: { "acme.com/x": "1" } } }))).toMatch(
      /^refused: .*may not change metadata\.annotations/s,
    );
    expect(await attempt(...own, ...patch({ spec: { unschedulable: true } }))).toMatch(
      /^refused: .*may not change spec\.unschedulable/s,
    );
    expect(await attempt(...own, "taint", "node", NODE, "acme.com/evict=1:NoExecute")).toMatch(
      /^refused: .*may not change other taints/s,
    );
    expect(await attempt(...own, "taint", "node", NODE, `${STARTUP_TAINT.key}=1:NoExecute`)).toMatch(
      /^refused: .*with effect NoSchedule only/s,
    );
    for (const forbidden of [
      ["delete", "node", NODE],
      [...patch({ status: { phase: "Running" } }), "--subresource=status"],
      ["get", "secrets", "--all-namespaces"],
      ["get", "nodes"],
    ]) {
      expect(await attempt(...own, ...forbidden)).toMatch(/^refused: .*forbidden/is);
    }
    expect(await attempt(...own, "taint", "node", NODE, TAINT)).toMatch(/^allowed/);
    expect(
      await attempt(...own, "taint", "node", NODE, `${STARTUP_TAINT.key}:${STARTUP_TAINT.effect}-`),
    ).toMatch(/^allowed/);

    const loose = ["--kubeconfig", await asToken(await kubectl(...token), scratch.folder)];
    expect(await attempt(...loose, "taint", "node", NODE, TAINT)).toMatch(
      /^refused: .*only that its own pod runs on/s,
    );
  } finally {
    await stack.destroy({ color: "never" });
  }
  for (const kind of ["namespace", "clusterrole", "clusterrolebinding", "validatingadmissionpolicy"]) {
    expect(await kubectl("get", kind, "--selector=mayfly.dev/environment=taint-test", "-o", "name")).toBe("");
  }
});

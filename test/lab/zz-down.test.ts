// A project of its own in vitest.config.ts, which runs after all others: it takes the lab away from under everyone.
import { afterAll, beforeAll, expect, test } from "vitest";
import { execute } from "../../base/process.ts";
import { labDown, labStatus, labUp } from "../../lab/index.ts";
import { leftovers, summarize } from "../../lab/leftovers.ts";
import { labPaths } from "../../lab/paths.ts";
import { apply, importBusybox, kubectl, outcome, shellPod, temporaryNamespace } from "./pods.ts";

const paths = labPaths();

beforeAll(async () => {
  await labUp();
  await importBusybox();
});
afterAll(async () => {
  await labUp();
});

test("`lab down` with pods, volumes and policies leaves nothing, whatever was killed before", async () => {
  const namespace = await temporaryNamespace("down");
  await apply(shellPod(namespace.name, "sleeper", "/busybox sleep 1000"));
  await kubectl([
    "wait",
    "--namespace",
    namespace.name,
    "--for=condition=Ready",
    "pod/sleeper",
    "--timeout=60s",
  ]);
  // The finder finds: a check that sees nothing in a running lab would prove nothing in a stopped one.
  // Kernel settings are left out, since a host may have had them this way before.
  for (const [kind, items] of Object.entries(await leftovers(paths))) {
    if (kind !== "sysctls") expect(items, kind).not.toEqual([]);
  }

  await labDown();
  expect(summarize(await leftovers(paths))).toBeUndefined();
  expect((await execute("ip", ["-oneline", "link"])).stdout).not.toMatch(/cali|mayfly/);
  expect((await execute("iptables-save", [])).stdout).not.toMatch(/KUBE-|cali|CNI-/);
  expect((await labStatus()).state).toBe("down");
  await labDown();

  const { elapsedMs } = await labUp();
  process.stderr.write(`warm lab up: ${(elapsedMs / 1000).toFixed(1)} s\n`);
  await apply(shellPod(namespace.name, "after", "echo after"));
  expect((await outcome(namespace.name, "after")).code).toBe(0);
  await namespace.remove();
});

test("with containerd, API server and etcd killed before, `lab down` still leaves nothing", async () => {
  const { parts } = await labStatus();
  for (const { name, pid } of parts) {
    if (pid !== undefined && ["containerd", "apiserver", "etcd", "kubelet"].includes(name))
      process.kill(pid, "SIGKILL");
  }
  await labDown();
  expect(summarize(await leftovers(paths))).toBeUndefined();
  await labUp();
  expect((await labStatus()).state).toBe("up");
});

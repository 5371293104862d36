import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findDrift } from "../../review/drift-run.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import {
  failedUp,
  moveTo,
  stateText,
  stateTypes,
  type TestEnvironment,
  testEnvironment,
} from "./environment-project.ts";

const ours = async ({ kubectl, tenant }: TestEnvironment): Promise<string> =>
  await kubectl("get", "namespace", `tenant-${tenant}`, "--ignore-not-found", "--output=name");

const poolOf = async ({ kubectl, node }: TestEnvironment): Promise<string> =>
  await kubectl("get", "node", node, "--output", "jsonpath={.metadata.labels.mayfly\\.dev/pool}");

/** The lab's kubeconfig with another address of the API. */
async function kubeconfigTo(server: string, { env, folder }: TestEnvironment): Promise<string> {
  const file = join(folder, "kubeconfig");
  const text = await readFile(env["KUBECONFIG"] ?? "", "utf8");
  await writeFile(file, text.replace(/server: .*/, `server: ${server}`), { mode: 0o600 });
  return file;
}

test("an environment comes up with a valid contract, a second update changes nothing, destroy leaves nothing", async () => {
  const life = await testEnvironment();
  const { stack, tenant, node, kubectl } = life;
  const first = await stack.up({ color: "never" });
  const contract = EnvironmentContract.parse(first.outputs["contract"]?.value);
  expect(contract).toMatchObject({
    name: stack.name,
    clusterId: await kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}"),
    tenants: [{ id: tenant, namespace: `tenant-${tenant}` }],
    pools: [{ allocatable: { cpu: 4000, memory: 8192, scratch: 51_200, pods: 58 } }],
  });
  expect(await ours(life)).toBe(`namespace/tenant-${tenant}`);
  expect(await poolOf(life)).toBe("default");
  // Another machine has it elsewhere, and a refused update must not leave the wrong one.
  expect(await stateText(life)).not.toContain(life.env["KUBECONFIG"]);
  // What the lab's config switches off is said on each update.
  expect(first.stdout).toMatch(/without calico: /);

  const second = await stack.up({ color: "never", refresh: true });
  const { create, update, delete: deleted, replace } = { ...second.summary.resourceChanges };
  expect({ create, update, deleted, replace }).toEqual({});
  expect(second.summary.resourceChanges?.["same"]).toBe(first.summary.resourceChanges?.["create"]);

  await stack.destroy({ color: "never" });
  expect(await ours(life)).toBe("");
  expect(await poolOf(life)).toBe("");
  // Somebody else's, and still there.
  expect(await kubectl("get", "node", node, "--output=name")).toBe(`node/${node}`);
  expect(await stateTypes(life)).toEqual([]);
});

test("a pool whose node isn't there is refused, and the node is not made", async () => {
  const life = await testEnvironment([[["mayfly:pools", 0, "nodes"], ["worker-17"]]]);
  const { errors } = await failedUp(life);
  expect(errors.join("\n")).toMatch(/worker-17/);
  expect(await life.kubectl("get", "node", "worker-17", "--ignore-not-found", "--output=name")).toBe("");
  await life.stack.destroy({ color: "never" });
});

test("a node that another tool has given to another pool is left to it", async () => {
  const life = await testEnvironment();
  await life.kubectl("label", "node", life.node, "mayfly.dev/pool=gpu", "--field-manager=their-tool");
  const { errors } = await failedUp(life);
  expect(errors.join("\n")).toMatch(/their-tool[\s\S]*mayfly\.dev\/pool/);
  expect(await poolOf(life)).toBe("gpu");
  await life.stack.destroy({ color: "never" });
  expect(await poolOf(life)).toBe("gpu");
});

test("a Kubernetes API that is unreachable is one clear error in seconds, and nothing is changed", async () => {
  const life = await testEnvironment();
  const server = "https://10.244.0.1:6444";
  const file = await kubeconfigTo(server, life);
  life.stack.workspace.envVars["KUBECONFIG"] = file;
  const { errors, seconds } = await failedUp(life);
  expect(errors.filter((error) => error.includes(server))).toHaveLength(1);
  expect(errors.filter((error) => !error.includes(server) && !/^update failed/.test(error.trim()))).toEqual(
    [],
  );
  expect(seconds).toBeLessThan(20);
  expect((await stateTypes(life)).filter((type) => type.startsWith("kubernetes:"))).toEqual([]);

  // Also where the environment is up: it is as it was before, in the cluster and in the state.
  life.stack.workspace.envVars["KUBECONFIG"] = life.env["KUBECONFIG"] ?? "";
  await life.stack.up({ color: "never" });
  const before = await life.stack.outputs();
  life.stack.workspace.envVars["KUBECONFIG"] = file;
  expect((await failedUp(life)).errors.filter((error) => error.includes(server))).toHaveLength(1);
  expect(await life.stack.outputs()).toEqual(before);
  expect(await ours(life)).not.toBe("");

  life.stack.workspace.envVars["KUBECONFIG"] = life.env["KUBECONFIG"] ?? "";
  await life.stack.destroy({ color: "never" });
  expect(await ours(life)).toBe("");
});

test("a kubeconfig of another cluster than last time is refused: by preview, update, destroy with the program, and the drift report", async () => {
  const life = await testEnvironment();
  const { stack, kubectl } = life;
  await stack.up({ color: "never" });
  // The drift report works with the environment of its own process.
  Object.assign(process.env, life.env);
  const here = await kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}");
  const there = "0c1e9c3a-2c55-4a1c-a6cb-2b1f3bb9e0aa";
  await moveTo(there, life);

  const { errors } = await failedUp(life);
  expect(errors[0]).toContain(
    `another cluster than at the last update of stack ${stack.name}. Then: ${there}. Now: ${here}.`,
  );
  expect(errors[0]).not.toContain("    at ");
  await expect(stack.preview({ color: "never" })).rejects.toThrow("another cluster");
  await expect(stack.destroy({ color: "never", runProgram: true })).rejects.toThrow("another cluster");
  await expect(findDrift({ projectDir: life.folder, stack: stack.name })).rejects.toThrow(
    `Then: ${there}. Now: ${here}.`,
  );
  expect(await ours(life)).not.toBe("");
  // The refusal itself doesn't make the new cluster the known one.
  expect((await failedUp(life)).errors[0]).toContain(`Then: ${there}`);

  await moveTo(here, life);
  await stack.up({ color: "never" });
  await stack.destroy({ color: "never" });
  expect(await ours(life)).toBe("");
});

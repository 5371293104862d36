// Boundary file for lab tests of the environment project: the Automation API hands states over untyped.
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type EngineEvent, Stack, type UpResult } from "@pulumi/pulumi/automation/index.js";
import { onTestFinished } from "vitest";
import { parseDocument } from "yaml";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { projectText } from "../../lab/environment/config.ts";
import { type Scratch, scratchProject } from "../harness/lab-pulumi.ts";
import { holdNodes } from "./nodes.ts";

/** An environment of a test's own on the lab's cluster: its own state, tenant and node, so that the lab's is left alone. */
export interface TestEnvironment extends Scratch {
  readonly stack: Stack;
  readonly tenant: string;
  readonly node: string;
  readonly kubectl: (...args: string[]) => Promise<string>;
}

/**
 * The root project with the committed config of the lab, for a tenant and a node of the test's own. The node is an object without a
 * machine: nothing is ever scheduled to it. Everything goes when the test ends.
 * @param change Changes the config, a path of keys to a value.
 */
export async function testEnvironment(
  change: readonly (readonly [path: readonly (string | number)[], value: unknown])[] = [],
): Promise<TestEnvironment> {
  const id = randomBytes(3).toString("hex");
  // The stack's name too: objects of the whole cluster are named after it.
  const name = `life-${id}`;
  const [tenant, node] = [name, name];
  const [committed = "", config = ""] = await Promise.all(
    ["Pulumi.yaml", "Pulumi.lab.yaml"].map((file) => readFile(join(projectDir, file), "utf8")),
  );
  const document = parseDocument(config);
  document.setIn(["config", "mayfly:tenants", 0, "id"], tenant);
  document.setIn(["config", "mayfly:pools", 0, "nodes"], [node]);
  document.setIn(["config", "mayfly:pools", 0, "allocatable", "node"], node);
  for (const [path, value] of change) document.setIn(["config", ...path], value);
  const scratch = await scratchProject({
    "Pulumi.yaml": projectText(committed, projectDir),
    [`Pulumi.${name}.yaml`]: document.toString(),
  });
  const kubectl = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await execute("kubectl", args, { env: scratch.env });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  const release = await holdNodes();
  onTestFinished(async () => {
    await kubectl("delete", "namespace", `tenant-${tenant}`, "--ignore-not-found", "--wait=false");
    await kubectl("delete", "node", node, "--ignore-not-found");
    release();
    const clusterWide = "validatingadmissionpolicybindings,validatingadmissionpolicies,clusterroles";
    await kubectl("delete", clusterWide, "--selector", `mayfly.dev/environment=${name}`);
    await scratch[Symbol.asyncDispose]();
  });
  await makeNode(kubectl, node, scratch);
  const stack = await Stack.create(name, await scratch.workspace());
  return { ...scratch, stack, tenant, node, kubectl };
}

async function makeNode(kubectl: TestEnvironment["kubectl"], name: string, scratch: Scratch): Promise<void> {
  const input = JSON.stringify({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name },
    spec: { unschedulable: true },
  });
  await execute("kubectl", ["create", "--filename=-"], { env: scratch.env, input });
  const allocatable = { cpu: "4", memory: "8Gi", "ephemeral-storage": "50Gi", pods: "58" };
  await kubectl(
    ...["patch", "node", name, "--subresource=status", "--type=merge"],
    `--patch=${JSON.stringify({ status: { capacity: allocatable, allocatable } })}`,
  );
}

/** An update that is to fail: what it complained of, and how long it took. */
export async function failedUp(
  { stack }: TestEnvironment,
  options: Parameters<Stack["up"]>[0] = {},
): Promise<{ readonly errors: readonly string[]; readonly seconds: number }> {
  const errors: string[] = [];
  const onEvent = ({ diagnosticEvent }: EngineEvent): void => {
    if (diagnosticEvent?.severity === "error")
      errors.push(diagnosticEvent.message.replaceAll(/<\{%[^%]*%\}>/g, ""));
  };
  const begun = performance.now();
  const result: UpResult | undefined = await stack
    .up({ color: "never", onEvent, ...options })
    .catch(() => undefined);
  if (result !== undefined) throw new Error(`the update went through: ${result.stdout}`);
  return { errors, seconds: (performance.now() - begun) / 1000 };
}

/** Types of the resources in the state. */
export async function stateTypes({ stack }: TestEnvironment): Promise<readonly string[]> {
  const deployment = (await stack.exportStack()).deployment as { resources?: { type: string }[] };
  return (deployment.resources ?? []).map(({ type }) => type);
}

/** The whole state, secrets encrypted. */
export const stateText = async ({ stack }: TestEnvironment): Promise<string> =>
  JSON.stringify((await stack.exportStack()).deployment);

/** Lets the stack's state say that its last update was on another cluster: as if the kubeconfig had been changed since. */
export async function moveTo(clusterId: string, { stack }: TestEnvironment): Promise<void> {
  const state = await stack.exportStack();
  const deployment = state.deployment as { resources: { outputs?: { contract?: object } }[] };
  const resources = deployment.resources.map((resource) => {
    const contract = resource.outputs?.contract;
    return contract === undefined
      ? resource
      : { ...resource, outputs: { contract: { ...contract, clusterId } } };
  });
  await stack.importStack({ ...state, deployment: { ...deployment, resources } });
}

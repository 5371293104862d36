import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { expect, test } from "vitest";
import { parseDocument } from "yaml";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { projectText } from "../../lab/environment/config.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { type Scratch, scratchProject } from "../harness/lab-pulumi.ts";

const STACK = "acceptance";
const NAMESPACE = "tenant-acceptance";

/** The root project with the lab's config, but another tenant, so that the lab's own environment is left alone. */
async function project(): Promise<Scratch> {
  const [committed, config] = await Promise.all(
    ["Pulumi.yaml", "Pulumi.lab.yaml"].map((name) => readFile(join(projectDir, name), "utf8")),
  );
  const stack = parseDocument(config ?? "");
  stack.setIn(["config", "mayfly:tenants", 0, "id"], "acceptance");
  return await scratchProject({
    "Pulumi.yaml": projectText(committed ?? "", projectDir),
    [`Pulumi.${STACK}.yaml`]: stack.toString(),
  });
}

const namespace = async ({ env }: Scratch): Promise<string> =>
  (
    await execute("kubectl", ["get", "namespace", NAMESPACE, "--ignore-not-found", "--output=name"], { env })
  ).stdout.trim();

test("an environment comes up with a valid contract, a second update changes nothing, destroy leaves nothing", async () => {
  await using scratch = await project();
  const stack = await Stack.create(STACK, await scratch.workspace());
  try {
    const first = await stack.up({ color: "never" });
    const contract = EnvironmentContract.parse(first.outputs["contract"]?.value);
    expect(contract.name).toBe(STACK);
    expect(contract.tenants[0]?.namespace).toBe(NAMESPACE);
    expect(contract.pools[0]?.allocatable.cpu).toBeGreaterThan(0);
    expect(await namespace(scratch)).toBe(`namespace/${NAMESPACE}`);

    const second = await stack.up({ color: "never", refresh: true });
    // kube-system and the node are read each time, and are not ours.
    expect(second.summary.resourceChanges).toEqual({
      same: first.summary.resourceChanges?.["create"],
      read: 2,
    });
  } finally {
    await stack.destroy({ color: "never" });
  }
  expect(await namespace(scratch)).toBe("");
});

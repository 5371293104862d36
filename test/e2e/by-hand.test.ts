import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Stack } from "@pulumi/pulumi/automation/index.js";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { projectDir } from "../../base/paths.ts";
import { execute } from "../../base/process.ts";
import { planRun } from "../../jobs/plan/index.ts";
import { readConnection } from "../../lab/connection.ts";
import { labPaths } from "../../lab/paths.ts";
import { EnvironmentContract } from "../../schema/contract.ts";
import { JobSpec } from "../../schema/job.ts";
import type { Plan } from "../../schema/plan.ts";
import { jobProject, type Scratch } from "../harness/lab-pulumi.ts";

const STACK = "by-hand";

/** The plan of examples/pi on the lab, as `mayfly plan --out` writes it. */
async function planOnLab(): Promise<Plan> {
  const [contract, job] = await Promise.all([
    readFile(readConnection(labPaths()).contract, "utf8"),
    readFile(join(projectDir, "examples", "pi", "job.yaml"), "utf8"),
  ]);
  const run = `pi-by-hand-${process.pid}`;
  const result = planRun(JobSpec.parse(parse(job)), EnvironmentContract.parse(JSON.parse(contract)), {
    run,
    attempt: 1,
  });
  if (!result.ok) throw new Error(result.refusal.message);
  return result.plan;
}

const kubectlIn =
  ({ env }: Scratch) =>
  async (...args: string[]): Promise<string> =>
    (await execute("kubectl", args, { env })).stdout.trim();

const PodList = z.object({
  items: z.array(z.object({ metadata: z.object({ labels: z.record(z.string(), z.string()) }) })),
});

test("`pulumi up` in stacks/job makes a plan's cluster under its quota and Pod Security, again changes nothing, destroy removes it", async () => {
  const plan = await planOnLab();
  await using scratch = await jobProject(STACK, plan);
  const kubectl = kubectlIn(scratch);
  const stack = await Stack.create(STACK, await scratch.workspace());
  try {
    const first = await stack.up({ color: "never" });
    expect(first.outputs["namespace"]?.value).toBe(plan.namespace);
    // Pods exist only if quota, limits, Pod Security and service account admitted them.
    await expect
      .poll(
        async () =>
          PodList.parse(
            JSON.parse(await kubectl("get", "pods", `--namespace=${plan.namespace}`, "--output=json")),
          )
            .items.map(({ metadata }) => metadata.labels["mayfly.dev/role"])
            .sort(),
        { timeout: 30_000, interval: 500 },
      )
      .toEqual(["coordinator", "worker", "worker"]);

    const second = await stack.up({ color: "never", refresh: true });
    expect(second.summary.resourceChanges).toEqual({ same: first.summary.resourceChanges?.["create"] });
  } finally {
    await stack.destroy({ color: "never" });
  }
  expect(await kubectl("get", "namespace", plan.namespace, "--ignore-not-found", "--output=name")).toBe("");
});

test("a namespace that is there already is neither adopted nor deleted", async () => {
  const plan = { ...(await planOnLab()), namespace: `not-ours-${process.pid}` };
  await using scratch = await jobProject(STACK, plan);
  const kubectl = kubectlIn(scratch);
  await kubectl("create", "namespace", plan.namespace);
  try {
    const stack = await Stack.create(STACK, await scratch.workspace());
    await expect(stack.up({ color: "never" })).rejects.toThrow(/already exists/);
    await stack.destroy({ color: "never" });
    expect(await kubectl("get", "namespace", plan.namespace, "--output=jsonpath={.status.phase}")).toBe(
      "Active",
    );
    expect(
      await kubectl("get", "all,networkpolicies", `--namespace=${plan.namespace}`, "--output=name"),
    ).toBe("");
  } finally {
    await kubectl("delete", "namespace", plan.namespace);
  }
});

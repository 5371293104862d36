import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type LocalWorkspace, Stack } from "@pulumi/pulumi/automation/index.js";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { programOf } from "../../jobs/engine/program.ts";
import { jobProject } from "../harness/lab-pulumi.ts";
import { samplePlans } from "../harness/samples.ts";

/** What the engine plans for each resource: its goal holds type, parent, provider, dependencies, options and inputs. */
const UpdatePlan = z.looseObject({
  resourcePlans: z.record(z.string(), z.looseObject({ goal: z.looseObject({}), steps: z.unknown() })),
});

const STACK = "two-doors";

async function goals(workspace: LocalWorkspace, file: string): Promise<Record<string, unknown>> {
  const stack = await Stack.createOrSelect(STACK, workspace);
  await stack.preview({ plan: file, color: "never" });
  const { resourcePlans } = UpdatePlan.parse(JSON.parse(await readFile(file, "utf8")));
  return Object.fromEntries(Object.entries(resourcePlans).map(([urn, { goal }]) => [urn, masked(goal)]));
}

/** Ciphertext differs from run to run, and so does the secret itself; dependencies are a set. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value !== "object" || value === null) return value;
  if ("ciphertext" in value) return "(secret)";
  return Object.fromEntries(
    Object.entries(value).map(([key, member]: [string, unknown]) => [
      key,
      key === "dependencies" && Array.isArray(member) ? member.map(String).sort() : masked(member),
    ]),
  );
}

describe("a job stack's two doors", () => {
  test.each(Object.entries(samplePlans()))(
    "`pulumi preview` in stacks/job and the engine's inline program plan the same graph for %s",
    async (_name, plan) => {
      await using scratch = await jobProject(STACK, plan);
      const byHand = await goals(await scratch.workspace(), join(scratch.folder, "by-hand.json"));
      const inline = await goals(
        await scratch.workspace(programOf(plan)),
        join(scratch.folder, "inline.json"),
      );
      expect(Object.keys(byHand).length).toBe(19);
      expect(inline).toEqual(byHand);
    },
  );
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectDir } from "../../base/paths.ts";
import { RULES } from "../../policy/rules/index.ts";
import { buildReview } from "../../review/model.ts";
import { configIn } from "../../review/stack-file.ts";
import type { Review } from "../../review/types.ts";
import { openSimulation, type Simulation, type Step } from "../../simulation/engine.ts";

/** The environment of Pulumi.prod.yaml on the engine, and edits of its config. */
export interface Prod {
  readonly simulation: Simulation;
  /** Of the first `pulumi up`. */
  readonly first: readonly Step[];
  /** What Pulumi.prod.yaml says. */
  readonly text: string;
  /** The steps of a preview with an edited config, and the review that they make. */
  readonly review: (
    edited: string,
    policies?: boolean,
  ) => Promise<{ readonly review: Review; readonly steps: readonly Step[] }>;
  /** Pulumi.prod.yaml with a text in it replaced; fails where it isn't there. */
  readonly edit: (from: string | RegExp, to: string) => string;
}

/** Opens the environment as it is after the first `pulumi up`, of Pulumi.prod.yaml as it is or as it was once. */
export async function openProd(once: (text: string) => string = (text) => text): Promise<Prod> {
  const text = once(await readFile(join(projectDir, "Pulumi.prod.yaml"), "utf8"));
  const before = configIn(text, "Pulumi.prod.yaml");
  const simulation = await openSimulation({ projectDir, stack: "prod", config: { text } });
  const first = await simulation.up();
  const errors = first.diagnostics.filter(({ severity }) => severity === "error");
  if (!first.succeeded)
    throw new Error(`the first up failed: ${errors.map(({ message }) => message).join("\n")}`);
  return {
    first: first.steps,
    simulation,
    text,
    edit: (from, to) => edited(text, from, to),
    review: async (now, policies = false) => {
      await simulation.configure({ text: now });
      const result = await simulation.preview(
        policies ? { policyPacks: [join(projectDir, "policy", "run")] } : {},
      );
      const review = buildReview({
        environment: "prod",
        comparedWith: { kind: "file", file: "Pulumi.prod.yaml before the edit" },
        notice: simulation.notice,
        result,
        config: configIn(now, "the edited config"),
        before,
        rules: policies ? RULES.length : undefined,
      });
      return { review, steps: result.steps };
    },
  };
}

/** An edit of a config. */
export function edited(text: string, from: string | RegExp, to: string): string {
  const result = text.replace(from, to);
  if (result === text)
    throw new Error(`${String(from)} is not in Pulumi.prod.yaml: the test has to follow it`);
  return result;
}

/** What is not left as it is. */
export const changed = (steps: readonly Step[]): Step[] =>
  steps.filter(({ op }) => op !== "same" && op !== "read");

/** Whether a step's resource is a component or stands below one, by the component's name. */
export function isBelow(steps: readonly Step[], step: Step, component: string): boolean {
  const byUrn = new Map(steps.map((one) => [one.urn, one]));
  for (let one: Step | undefined = step; one !== undefined; ) {
    if (one.name === component && one.type.startsWith("mayfly:")) return true;
    one = one.parent === undefined ? undefined : byUrn.get(one.parent);
  }
  return false;
}

/** How many policies there are. */
export const POLICIES = RULES.length;

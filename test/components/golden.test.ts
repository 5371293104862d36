import { join } from "node:path";
import { expect, test } from "vitest";
import { jobProgram } from "../../stacks/job/program.ts";
import { goldenText } from "../harness/golden.ts";
import { record } from "../harness/record.ts";
import { flinkPlans, samplePlans } from "../harness/samples.ts";

// The whole graph of example jobs, for reviewers: a change of any object shows as a diff of these files. Never the only
// proof; spark-cluster.test.ts says what must hold. After a wanted change: npx vitest run --project components test/components/golden.test.ts --update
test.each(Object.entries({ ...samplePlans(), ...flinkPlans() }))(
  "the graph of job %s is the reviewed one",
  async (name, plan) => {
    delete process.env["KUBECONFIG"];
    const graph = await record(() => jobProgram({ plan, authenticationSecret: "never in a golden file" }));
    const file = join(import.meta.dirname, "..", "golden", `${name}.golden.json`);
    await expect(goldenText(graph)).toMatchFileSnapshot(file);
  },
);

test("preview and update make the same graph", async () => {
  const { pi } = samplePlans();
  const program = () => jobProgram({ plan: pi, authenticationSecret: "s" });
  const [preview, update] = [await record(program, { preview: true }), await record(program)];
  expect(goldenText(preview)).toBe(goldenText(update));
});

import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { RunService } from "../../../components/services/service.ts";
import { at } from "../../../lab/kubernetes-plugin/json.ts";
import type { FlinkPlan, PlannedService } from "../../../schema/plan.ts";
import { flinkPlans } from "../../harness/samples.ts";
import { get, mergePatch, namespace } from "../kubernetes-plugin/api.ts";
import { kubernetes, openStack } from "../kubernetes-plugin/harness.ts";
import { of } from "../kubernetes-plugin/programs.ts";

/** The service of the example alone, on a real API server, with nobody who runs its pods: they name no account that is there. */
function program(ns: string, rounds: string): () => Promise<void> {
  const plan: FlinkPlan = flinkPlans()["flink-enrich"];
  const [scoring] = plan.services ?? [];
  if (scoring === undefined) throw new Error("the example has no service");
  const service: PlannedService = {
    ...scoring,
    container: { ...scoring.container, env: { ...scoring.container.env, ROUNDS: rounds } },
  };
  return of(() => {
    const marker = new kubernetes.core.v1.ConfigMap("marker", {
      metadata: { name: "marker", namespace: ns },
    });
    new RunService(
      "scoring",
      {
        plan,
        service,
        objectLabels: plan.labels,
        run: { namespaceName: pulumi.output(ns), inside: { deletedWith: marker } },
        before: [],
      },
      {},
    );
  });
}

test("an update of a service leaves the number of replicas as the autoscaler has set it", async () => {
  const ns = await namespace();
  const path = `/apis/apps/v1/namespaces/${ns}/deployments/scoring`;
  const replicas = async (): Promise<unknown> => at(await get(path), "spec", "replicas");
  const stack = await openStack();
  await stack.up(program(ns, "1000"));
  expect(await replicas()).toBe(1);
  // As autoscalers do.
  await mergePatch(`${path}/scale`, { spec: { replicas: 3 } });
  expect(await replicas()).toBe(3);

  const { steps } = await stack.up(program(ns, "2000"));
  expect(steps.filter((step) => !step.startsWith("same"))).toEqual(["update kubernetes:apps/v1:Deployment"]);
  expect(await replicas()).toBe(3);
  expect(JSON.stringify(await get(path))).toContain('"2000"');
});

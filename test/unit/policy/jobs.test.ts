import { expect, test } from "vitest";
import { evaluate } from "../../../policy/evaluate.ts";
import { RULES } from "../../../policy/rules/index.ts";
import type { FlinkPlan, Plan, SparkPlan } from "../../../schema/plan.ts";
import { jobProgram } from "../../../stacks/job/program.ts";
import { record } from "../../harness/record.ts";
import { flinkPlans, samplePlans } from "../../harness/samples.ts";
import { viewsOf } from "./views.ts";

const viewsOfJob = async (plan: Plan) =>
  viewsOf(await record(() => jobProgram({ plan, authenticationSecret: "never in a message" })));

const violationsOf = async (plan: Plan): Promise<string[]> =>
  evaluate(await viewsOfJob(plan)).map(({ rule, resource, path }) => `${rule} ${resource.name} ${path}`);

test.each(Object.entries({ ...samplePlans(), ...flinkPlans() }))(
  "job %s keeps every rule",
  async (_name, plan) => {
    expect(await violationsOf(plan)).toEqual([]);
  },
);

test("the rules for Kubernetes do look at a job's objects", async () => {
  const views = await viewsOfJob(samplePlans().pi);
  const judged = RULES.filter(
    (rule) => rule.scope === "resource" && views.some((view) => rule.judges(view)),
  ).map(({ name }) => name);
  expect(judged).toEqual(["no-host-access", "limits-on-containers", "images-by-digest", "tags-and-labels"]);
});

test("a tag instead of a digest is found in a job of production", async () => {
  const { sessions } = samplePlans();
  const plan: SparkPlan = {
    ...sessions,
    labels: { ...sessions.labels, "mayfly.dev/class": "production" },
    image: { ...sessions.image, reference: "acme/spark:4.0.1" },
  };
  expect((await violationsOf(plan)).sort()).toEqual([
    "images-by-digest spark-coordinator-job spec.template.spec.containers[0].image",
    "images-by-digest spark-coordinator-job spec.template.spec.initContainers[0].image",
    "images-by-digest spark-workers-set spec.template.spec.containers[0].image",
  ]);
});

test("so is one of a service beside a stream", async () => {
  const enrich = flinkPlans()["flink-enrich"];
  const digest = `acme/flink@sha256:${"a".repeat(64)}`;
  const plan: FlinkPlan = {
    ...enrich,
    labels: { ...enrich.labels, "mayfly.dev/class": "production" },
    image: { ...enrich.image, reference: digest },
    services: (enrich.services ?? []).map((service) => ({
      ...service,
      image: { ...service.image, reference: "acme/scoring:1" },
    })),
  };
  expect(await violationsOf(plan)).toEqual([
    "images-by-digest flink-service-scoring-deployment spec.template.spec.containers[0].image",
  ]);
});

// Jobs of Flink and the environment that they are planned for.
import { planRun, type RunIdentity } from "../../../jobs/plan/plan.ts";
import { EnvironmentContract } from "../../../schema/contract.ts";
import { JobSpec } from "../../../schema/job.ts";
import { FlinkPlan } from "../../../schema/plan.ts";
import { environment } from "./sample.ts";

export const contract = (): EnvironmentContract =>
  EnvironmentContract.parse({
    ...environment(),
    images: ["1.20.1", "2.0.0", "2.3.0"].map((version) => ({
      engine: "flink",
      version,
      reference: `registry.example/flink:${version}`,
      pullPolicy: "IfNotPresent",
    })),
  });

export type Changes = Readonly<Record<string, unknown>>;

/** A job that ends by itself, and what is to be other than usual. */
export const batch = (changes: Changes = {}): JobSpec =>
  JobSpec.parse({
    apiVersion: "mayfly.dev/v1",
    name: "nightly-orders",
    tenant: "acme",
    engine: "flink",
    version: "2.3",
    kind: "batch",
    application: { kind: "jar", file: "s3://acme-code/orders.jar", mainClass: "com.acme.Orders" },
    arguments: ["--input", "s3://acme-data/orders"],
    taskManagers: { count: 3, slots: 2, memory: "4Gi" },
    ...changes,
  });

export const stream = (changes: Changes = {}): JobSpec =>
  batch({
    kind: "stream",
    checkpoints: { location: "s3://acme-data/state/" },
    ...changes,
  });

export const identity: RunIdentity = { run: "nightly-orders-11240544-k3fqa", attempt: 1 };

export const planOf = (spec: JobSpec, who = identity): FlinkPlan => {
  const result = planRun(spec, contract(), who);
  if (!result.ok) throw new Error(result.refusal.message);
  return FlinkPlan.parse(result.plan);
};

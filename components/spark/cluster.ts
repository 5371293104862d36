import type * as pulumi from "@pulumi/pulumi";
import type { SparkPlan } from "../../schema/plan.ts";
import { RunCluster, type RunClusterArgs } from "../run/cluster.ts";

/**
 * A Spark cluster for one run: standalone master (sidecar) and driver in the coordinator pod, workers beside it. The secret is
 * `spark.authenticate`'s.
 */
export class SparkCluster extends RunCluster {
  constructor(name: string, args: RunClusterArgs<SparkPlan>, options: pulumi.ComponentResourceOptions = {}) {
    super(
      { cluster: "spark:SparkCluster", coordinator: "spark:Coordinator", workers: "spark:Workers" },
      name,
      {},
      args,
      options,
    );
  }
}

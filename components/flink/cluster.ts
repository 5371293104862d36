import type * as pulumi from "@pulumi/pulumi";
import type { FlinkPlan } from "../../schema/plan.ts";
import { RunCluster, type RunClusterArgs } from "../run/cluster.ts";

/**
 * A Flink cluster for one run in standalone application mode: the JobManager, in which the job's main method runs and which ends with
 * the job, and the TaskManagers. Batch and stream alike get one try of the JobManager: started again by Kubernetes, a stream would go on
 * from the savepoint it began with, and count again what came since; the helper knows the newest checkpoint. With high availability the
 * JobManager itself finds that in a config map, and is started again. The secret is what every process makes its TLS key from.
 */
export class FlinkCluster extends RunCluster {
  constructor(name: string, args: RunClusterArgs<FlinkPlan>, options: pulumi.ComponentResourceOptions = {}) {
    const { kind, jobId, parallelism, state } = args.plan;
    super(
      { cluster: "flink:FlinkCluster", coordinator: "flink:JobManager", workers: "flink:TaskManagers" },
      name,
      { kind, jobId, parallelism, ...(state === undefined ? {} : { state }) },
      args,
      options,
    );
  }
}

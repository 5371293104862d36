import * as kubernetes from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { FlinkCluster } from "../../components/flink/cluster.ts";
import type { RunCluster } from "../../components/run/cluster.ts";
import { SparkCluster } from "../../components/spark/cluster.ts";
import type { JobOutputs, Plan } from "../../schema/plan.ts";

/** What a job stack is made from. */
export interface JobInput {
  readonly plan: Plan;
  /** Shared secret of the run's processes; made at the door, since a program has no randomness of its own. */
  readonly authenticationSecret: pulumi.Input<string>;
  /** Number of the lease under which the engine makes it; none by hand. */
  readonly fence?: number | undefined;
}

/** {@link JobOutputs} before they are known. */
export type JobProgramOutputs = { readonly [K in keyof JobOutputs]: pulumi.Output<string> };

/** The engine's cluster. */
function clusterOf({ plan, ...rest }: JobInput, provider: kubernetes.Provider): RunCluster {
  switch (plan.engine) {
    case "spark":
      return new SparkCluster("spark", { plan, ...rest, provider });
    case "flink":
      return new FlinkCluster("flink", { plan, ...rest, provider });
  }
}

/**
 * The program of a job stack: a pure map from plan to resources. It runs through two doors, stacks/job/index.ts (`pulumi up`)
 * and the engine of jobs/engine; a test proves that both make the same graph.
 */
export function jobProgram(input: JobInput): JobProgramOutputs {
  const { plan } = input;
  const provider = new kubernetes.Provider("kubernetes", {
    // The kubeconfig is ambient (KUBECONFIG). Its path may differ from machine to machine: only another environment is
    // another cluster.
    clusterIdentifier: plan.environment,
    // A namespace that is there already is never adopted, and so never deleted.
    upsertExistingObjects: false,
  });
  const cluster = clusterOf(input, provider);
  return {
    namespace: cluster.namespaceName,
    coordinator: cluster.coordinatorName,
    workers: cluster.workersName,
  };
}

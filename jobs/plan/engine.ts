import type { EnvironmentContract, Tenant } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan, PlannedContainer, Restore, SparkPlan } from "../../schema/plan.ts";

/** What an engine plans its pods from. */
export interface EngineContext<Spec extends JobSpec = JobSpec> {
  readonly spec: Spec;
  /** The image's. */
  readonly version: string;
  readonly contract: EnvironmentContract;
  readonly tenant: Tenant;
  readonly identity: {
    readonly run: string;
    readonly attempt: number;
    readonly restore?: Restore | undefined;
  };
  readonly deadlines: SparkPlan["deadlines"];
}

/** Fields of a spec by which a refusal says what to change. */
export interface SpecWords {
  readonly coordinator: { readonly path: string; readonly fields: string };
  readonly workers: { readonly path: string; readonly fields: string; readonly many: string };
}

type OmitOfEach<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

/** What no engine decides. */
export type CommonPlan = Omit<SparkPlan, "engine">;

/** All that is an engine's in a plan. */
export interface EnginePods {
  readonly sidecars: readonly PlannedContainer[];
  readonly driver: PlannedContainer;
  readonly worker: PlannedContainer;
  readonly count: number;
  readonly coordinator: Pick<SparkPlan["coordinator"], "name" | "scratch" | "temporary" | "gracePeriod">;
  readonly workers: Pick<
    SparkPlan["workers"],
    "name" | "scratch" | "temporary" | "gracePeriod" | "evictable"
  >;
  /** Where the engine talks to Kubernetes. */
  readonly kubernetes?: SparkPlan["kubernetes"];
  readonly mounts: SparkPlan["mounts"];
  readonly files: SparkPlan["files"];
  readonly secrets: SparkPlan["secrets"];
  readonly inputs: SparkPlan["inputs"];
  readonly output: SparkPlan["output"];
  readonly webIdentity: SparkPlan["webIdentity"];
  readonly notes: readonly string[];
  readonly words: SpecWords;
  /** What of the plan is this engine's alone. */
  readonly own: OmitOfEach<Plan, keyof CommonPlan>;
}

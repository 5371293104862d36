import type { EnvironmentContract, Tenant } from "../../schema/contract.ts";
import type { JobSpec } from "../../schema/job.ts";
import type { Plan, Restore, SparkPlan } from "../../schema/plan.ts";
import { estimateCost } from "./cost.ts";
import type { CommonPlan, EngineContext, EnginePods } from "./engine.ts";
import { overQuota, podSize, type RunSize, runTotal } from "./fit.ts";
import { planFlink } from "./flink/pods.ts";
import { checkStorageClass, type EngineImage, findImage, findTenant } from "./lookup.ts";
import { runLabels, runNames } from "./names.ts";
import { choosePlace, placementIn } from "./placement.ts";
import { seconds } from "./quantities.ts";
import { type Refusal, Refused, refuse } from "./refusal.ts";
import { plannedServices, serviceNotes, serviceSizes } from "./services.ts";
import { planSpark } from "./spark/pods.ts";

/** Which attempt of which run; `run` comes from `runId`. */
export interface RunIdentity {
  readonly run: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** What a stream starts from; where left out, its spec's `from`. */
  readonly restore?: Restore | undefined;
}

/** A plan, or why there is none. Notes tell what was chosen in the user's place. */
export type PlanResult =
  | { readonly ok: true; readonly plan: Plan; readonly notes: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal };

/** The run's total against what the tenant may ask for. */
function checkQuota(size: RunSize, tenant: Tenant, path: string): void {
  const over = overQuota(size, tenant.quota);
  if (over.length === 0) return;
  refuse({
    code: "does-not-fit-quota",
    message: `The run asks for more than the quota of tenant "${tenant.id}".`,
    arithmetic: over,
    path,
    hint: `Ask for fewer or smaller workers${size.services.length === 0 ? "" : ", for less replicas.max of services"}, or have the tenant's quota raised.`,
  });
}

function deadlines(spec: JobSpec, { limits }: EnvironmentContract): SparkPlan["deadlines"] {
  return {
    pending: limits.pendingDeadline,
    image: limits.imageDeadline,
    start: limits.startDeadline,
    ...(spec.deadline === undefined ? {} : { run: seconds(spec.deadline) }),
  };
}

/** A job's own image may be anywhere, hence its own policy; the environment's comes as the environment says. */
const plannedImage = (spec: JobSpec, image: EngineImage): SparkPlan["image"] =>
  spec.image === undefined
    ? { reference: image.reference, pullPolicy: image.pullPolicy }
    : { reference: spec.image, pullPolicy: "IfNotPresent" };

/** The engine's part. */
function planPods(context: EngineContext): EnginePods {
  const { spec } = context;
  switch (spec.engine) {
    case "spark":
      return planSpark({ ...context, spec });
    case "flink":
      return planFlink({ ...context, spec });
  }
}

function compose(
  spec: JobSpec,
  contract: EnvironmentContract,
  identity: RunIdentity,
): { plan: Plan; notes: string[] } {
  const tenant = findTenant(spec, contract);
  const image = findImage(spec, contract);
  checkStorageClass(spec, contract);
  const limits = deadlines(spec, contract);
  const pods = planPods({ spec, version: image.version, contract, tenant, identity, deadlines: limits });
  const coordinator = [...pods.sidecars, pods.driver];
  const size: RunSize = {
    coordinator: podSize(coordinator),
    worker: podSize([pods.worker]),
    workers: pods.count,
    services: serviceSizes(spec),
  };
  const place = choosePlace(
    spec,
    contract,
    { size, coordinator, worker: [pods.worker], words: pods.words },
    identity,
  );
  checkQuota(size, tenant, pods.words.workers.path);
  const names = runNames(spec.tenant, spec.name, identity.run, identity.attempt);
  const cost = estimateCost(size, place.coordinator, place.workers);
  const ours = plannedImage(spec, image);
  const workersPlacement = placementIn(place.workers, place.zone);
  const services = plannedServices(spec, ours, workersPlacement);
  const common: CommonPlan = {
    apiVersion: "mayfly.dev/plan/v1",
    version: image.version,
    environment: contract.name,
    tenant: spec.tenant,
    job: spec.name,
    run: identity.run,
    attempt: identity.attempt,
    namespace: names.namespace,
    stack: names.stack,
    labels: runLabels({
      engine: spec.engine,
      version: image.version,
      tenant: spec.tenant,
      job: spec.name,
      environment: contract.name,
      environmentClass: contract.class,
      run: identity.run,
      attempt: identity.attempt,
    }),
    image: ours,
    mounts: pods.mounts,
    files: pods.files,
    coordinator: {
      ...pods.coordinator,
      sidecars: [...pods.sidecars],
      driver: pods.driver,
      placement: placementIn(place.coordinator, place.zone),
    },
    workers: {
      ...pods.workers,
      count: pods.count,
      container: pods.worker,
      placement: workersPlacement,
    },
    ...(services.length === 0 ? {} : { services }),
    ...(pods.kubernetes === undefined ? {} : { kubernetes: pods.kubernetes }),
    egress: contract.egress,
    quota: runTotal(size),
    secrets: pods.secrets,
    placed: {
      pool: place.workers.name,
      instanceType: place.workers.instanceType,
      zone: place.zone,
      spot: place.workers.capacity === "spot",
      ...(place.coordinator.name === place.workers.name ? {} : { coordinatorPool: place.coordinator.name }),
    },
    deadlines: limits,
    output: pods.output,
    logs: { bucket: contract.buckets.logs, prefix: names.logPrefix },
    inputs: pods.inputs,
    ...(pods.webIdentity === undefined ? {} : { webIdentity: pods.webIdentity }),
    ...(cost === undefined ? {} : { cost }),
  };
  const notes = [
    ...(spec.version === image.version ? [] : [`${spec.engine} ${spec.version} is ${image.version} here.`]),
    ...place.notes,
    ...pods.notes,
    ...serviceNotes(spec),
  ];
  return { plan: { ...pods.own, ...common }, notes };
}

/**
 * Decides everything about one attempt of a run: names, sizes, settings, commands, placement. Pure: the same input gives the same
 * plan, and nothing is read or made.
 */
export function planRun(spec: JobSpec, contract: EnvironmentContract, identity: RunIdentity): PlanResult {
  try {
    return { ok: true, ...compose(spec, contract, identity) };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, refusal: error.refusal };
    throw error;
  }
}

import { UserError } from "../../base/errors.ts";
import { OUTCOME_EXIT } from "../../schema/outcome.ts";
import { SERVICE_CLASSES, type ServiceClass } from "../../schema/service.ts";
import { type Limits, limitsOf } from "./types.ts";

/** How far `--priority` may go either way: within its class, never out of it. */
export const FINE_MAX = 1000;
/** Between two classes: more than the widest difference within one. */
const STEP = 10_000;

const levelOf = (serviceClass: ServiceClass): number =>
  SERVICE_CLASSES.indexOf(serviceClass) - SERVICE_CLASSES.indexOf("standard");

/**
 * Pure: the number by which the queue is ordered, larger first. Of the class, then of what the submitter said.
 * @param fine From -{@link FINE_MAX} to {@link FINE_MAX}.
 */
export const rankOf = (serviceClass: ServiceClass, fine: number): number =>
  levelOf(serviceClass) * STEP + fine;

/** The two parts of a rank. */
export function partsOf(rank: number): { readonly serviceClass: ServiceClass; readonly fine: number } {
  const level = Math.round(rank / STEP);
  const serviceClass = SERVICE_CLASSES[level + SERVICE_CLASSES.indexOf("standard")] ?? "standard";
  return { serviceClass, fine: rank - levelOf(serviceClass) * STEP };
}

/** Pure: why a tenant's job may not have the service class that it asks for; undefined where it may. */
export function classRefusal(tenant: string, asked: ServiceClass, limits: Limits): UserError | undefined {
  const { serviceClass: highest } = limitsOf(limits, tenant);
  if (levelOf(asked) <= levelOf(highest)) return undefined;
  return new UserError(
    "service-class-denied",
    `Jobs of tenant ${tenant} may be ${highest} at most, and this one is ${asked}.`,
    {
      path: "serviceLevel.class",
      hint: `Write class: ${highest}, or have limits.serviceClass of the tenant raised in the environment's config.`,
      exitCode: OUTCOME_EXIT.refused,
    },
  );
}

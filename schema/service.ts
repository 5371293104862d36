import { z } from "zod";

/** How soon a job's runs leave the queue, lowest first. The words are the field's: batch, standard, urgent. */
export const SERVICE_CLASSES = ["batch", "standard", "urgent"] as const;
export const ServiceClass = z.enum(SERVICE_CLASSES);
export type ServiceClass = z.infer<typeof ServiceClass>;

/** What a tenant may have at a time, on all workers together. */
export const TenantLimits = z
  .strictObject({
    running: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe("Runs that workers work on at a time, and clusters of theirs that are kept."),
    queued: z.int().min(1).max(100_000).default(1000).describe("Runs that wait for a worker at a time."),
    weight: z
      .int()
      .min(1)
      .max(100)
      .default(1)
      .describe("The tenant's share of the workers, against the others' weights."),
    serviceClass: ServiceClass.default("standard").describe(
      "The highest serviceLevel.class that jobs of the tenant may ask for.",
    ),
  })
  .prefault({})
  .describe("What the tenant may have at a time, on all workers together.");
export type TenantLimits = z.infer<typeof TenantLimits>;

/** Those of a tenant of which nothing is said. */
export const DEFAULT_TENANT_LIMITS: TenantLimits = TenantLimits.parse({});

import { z } from "zod";
import { dnsLabel } from "../primitives.ts";
import { TenantLimits } from "../service.ts";
import { Room } from "./pools.ts";

export const Tenant = z.strictObject({
  id: dnsLabel(20).describe("Part of namespaces, labels and reports; never changed later."),
  quota: z.strictObject(Room).describe("The most that all runs of the tenant together may ask for."),
  pools: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Pools that runs of the tenant may use; all where left out."),
  s3Identity: z
    .discriminatedUnion(
      "kind",
      [
        z.strictObject({
          kind: z.literal("secret"),
          secret: dnsLabel().describe(
            "Secret in namespace tenant-<id> with access-key-id and secret-access-key. Put there by you, not by Pulumi.",
          ),
        }),
        z.strictObject({
          kind: z.literal("web-identity"),
          roleArn: z.string().startsWith("arn:", "must be the ARN of a role"),
        }),
      ],
      "kind must be secret or web-identity",
    )
    .describe("How pods of this tenant sign S3 requests."),
  buckets: z.array(z.string().min(3)).describe("Buckets that the tenant may use."),
  allowHighAvailability: z
    .boolean()
    .default(false)
    .describe(
      "Whether streams of the tenant may have Kubernetes start their JobManager again. Its jobs' code then finds a token for config maps of its own run.",
    ),
  limits: TenantLimits,
});
export const Image = z.strictObject({
  engine: z.enum(["spark", "flink"]),
  version: z
    .string("must be text: put the version in quotes")
    .regex(/^\d+\.\d+\.\d+$/, 'must be a full version such as "4.0.1"'),
  reference: z.string().min(1).describe("Image reference, with digest where a registry serves it."),
  pullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
});

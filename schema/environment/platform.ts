import { z } from "zod";
import { dnsLabel } from "../primitives.ts";

const leftOut = z.strictObject({
  install: z.literal(false),
  because: z.string().min(1).describe("Said on every `pulumi up`, and in the contract."),
});

const CHOICE = "install must be true or false";

/** A part of the platform that an environment may do without, but never silently. */
const part = (what: string) =>
  z
    .discriminatedUnion("install", [z.strictObject({ install: z.literal(true) }), leftOut], CHOICE)
    .prefault({ install: true })
    .describe(what);

const image = z
  .string()
  .min(1)
  .describe(
    "Image reference, with digest in production; the node role pulls from ECR and public registries.",
  );

/** Parts that an EKS environment always has beside these: VPC CNI, CoreDNS, kube-proxy, EBS CSI, Pod Identity agent. */
export const Platform = z.strictObject({
  calico: part("Calico for network policies, by the Tigera operator's chart."),
  startupTaint: z
    .discriminatedUnion(
      "install",
      [
        z.strictObject({
          install: z.literal(true),
          kubectl: image.describe("registry.k8s.io/kubectl or a copy of it."),
          pause: image.describe("registry.k8s.io/pause or a copy of it."),
        }),
        leftOut,
      ],
      CHOICE,
    )
    .describe("Takes the start-up taint off a new node once Calico enforces policies on it."),
  clusterAutoscaler: part("Cluster Autoscaler, by its chart: scales pools from and to zero."),
  storage: part("Storage classes: gp3 for scratch, one that keeps disks, and local NVMe."),
});
export type Platform = z.infer<typeof Platform>;

/** Versions instead of those that belong to the cluster's minor version (knowledge/versions.ts, the one table). */
export const Versions = z
  .strictObject({
    calico: z.string().min(1).optional(),
    clusterAutoscaler: z.string().min(1).optional(),
    clusterAutoscalerChart: z.string().min(1).optional(),
    vpcCni: z.string().min(1).optional(),
    coreDns: z.string().min(1).optional(),
    kubeProxy: z.string().min(1).optional(),
    ebsCsi: z.string().min(1).optional(),
    podIdentityAgent: z.string().min(1).optional(),
  })
  .prefault({});

export const Buckets = z.strictObject({
  logs: z.string().min(3).describe("Reports and logs of runs."),
  state: z.string().min(3).optional().describe("Pulumi's state of this and of the job stacks."),
});

export const Repositories = z
  .array(z.string().regex(/^[a-z0-9]+([/._-][a-z0-9]+)*$/, "must be a repository name such as mayfly/spark"))
  .default(["mayfly/spark", "mayfly/flink", "mayfly/kubectl", "mayfly/pause"])
  .describe("Image repositories to make in ECR.");

export const StorageClasses = z
  .array(dnsLabel())
  .default([])
  .describe("Storage classes beside the platform's own that jobs may use for scratch.");

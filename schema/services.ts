import { z } from "zod";
import { Cpu, Duration, dnsLabel, Memory } from "./primitives.ts";
import { parseDuration } from "./quantity.ts";

/** Names of a run's own Services and workloads (jobs/plan/flink/layout.ts), and what means the pod itself. */
const TAKEN = ["coordinator", "worker", "workers", "kubernetes", "localhost"];

/** Leaves room for the role label and for what a Deployment adds to the names of its pods. */
const NAME_LENGTH = 30;

const Percent = z
  .string("must be a share as text such as 60%")
  .regex(/^([1-9]\d?|100)%$/, "must be a share from 1% to 100%, such as 60%");

const ScaleOn = z
  .discriminatedUnion(
    "kind",
    [
      z.strictObject({
        kind: z.literal("cpu"),
        target: Percent.default("60%").describe(
          "Mean CPU use of the replicas, of what they asked for, that the autoscaler aims at.",
        ),
      }),
      z.strictObject({
        kind: z.literal("metric"),
        name: z
          .string()
          .regex(/^[a-zA-Z_:][\w:./-]*$/, "must be the name of a metric such as http_requests_per_second")
          .describe("A metric of the replicas that the cluster's adapter serves at custom.metrics.k8s.io."),
        target: z.number().positive().describe("The mean of the replicas that the autoscaler aims at."),
      }),
    ],
    "kind must be cpu or metric",
  )
  .prefault({ kind: "cpu" })
  .describe("What the number of replicas follows.");

/** https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#stabilization-window */
const LONGEST_CALM = 3600;

const Replicas = z
  .strictObject({
    min: z.int().min(1).max(1000).default(1).describe("Always there."),
    max: z.int().min(1).max(1000).describe("The most; quota and nodes must have room for them."),
    calm: Duration.default("5m")
      .refine((text) => (parseDuration(text) ?? 0) <= LONGEST_CALM, "must be at most 1h")
      .describe("How long the load must have been lower before replicas go."),
  })
  .refine(({ min, max }) => max >= min, { message: "max must be at least min", path: ["max"] })
  .describe("How many; with max above min an autoscaler decides.");

/** A service beside a stream, which the stream calls at `http://<name>:<port>`. */
export const Service = z.strictObject({
  name: dnsLabel(NAME_LENGTH)
    .refine((name) => !TAKEN.includes(name), `must not be one of ${TAKEN.join(", ")}`)
    .describe("The host name by which the stream calls it."),
  image: z
    .string()
    .regex(/^\S+$/, "must be an image reference such as registry.example/team/enrich:1.4")
    .optional()
    .describe("Its image; the job's where left out. Runs as user 185 with a read-only root."),
  command: z.array(z.string()).min(1).describe("The program; the image's entry point is not used."),
  arguments: z.array(z.string()).default([]).describe("Arguments of the program."),
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/, "must be an environment variable name"), z.string())
    .default({})
    .describe("Plain environment variables. No secrets."),
  port: z.int().min(1024).max(65_535).describe("TCP port on which it listens, and by which it is called."),
  cpu: Cpu.describe("CPU request and limit of each replica."),
  memory: Memory.describe("Memory request and limit of each replica."),
  replicas: Replicas,
  scaleOn: ScaleOn,
  ready: z
    .strictObject({
      path: z
        .string()
        .regex(/^\/\S*$/, "must be a path such as /ready")
        .describe("Answers 200 to 399 by HTTP once the replica can take calls."),
    })
    .optional()
    .describe("How to tell that a replica can take calls; that its port is open where left out."),
});
export type Service = z.infer<typeof Service>;

/** The services of a stream. */
export const Services = z
  .array(Service)
  .max(10)
  .superRefine((services, context) => {
    for (const [index, { name }] of services.entries()) {
      if (services.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({
        code: "custom",
        message: `another service is named ${name}`,
        path: [index, "name"],
      });
    }
  })
  .default([])
  .describe("Services that the stream calls; they scale on their own, beside the stream.");

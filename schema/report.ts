import { z } from "zod";
import { Outcome } from "./outcome.ts";
import { StateOrigin, StreamReport } from "./stream.ts";

/** Phases of a run, in order. */
export const PHASES = [
  "preparing",
  "creating",
  "starting",
  "running",
  "collecting",
  "destroying",
  "verifying",
] as const;
export const Phase = z.enum(PHASES);
export type Phase = z.infer<typeof Phase>;

const at = z.iso.datetime();

export const ContainerReport = z.strictObject({
  name: z.string(),
  limitMib: z.int().positive(),
  exitCode: z.int().optional(),
  reason: z.string().optional(),
  restarts: z.int().min(0),
  peakMemoryMib: z
    .number()
    .optional()
    .describe("Largest working set seen; sampled, so short peaks may be missed."),
  cpuSeconds: z.number().optional(),
});
export type ContainerReport = z.infer<typeof ContainerReport>;

export const PodReport = z.strictObject({
  name: z.string(),
  role: z.string(),
  node: z.string().optional(),
  phase: z.string(),
  reason: z.string().optional(),
  secondsHeld: z.number().describe("Time the pod held its resources."),
  containers: z.array(ContainerReport),
});
export type PodReport = z.infer<typeof PodReport>;

const Grown = z
  .strictObject({ from: z.int().positive(), to: z.int().positive() })
  .describe("Limits in MiB, as the spec says and as it was.");

/** What one attempt of a run was, for machines and for people. */
export const RunReport = z
  .strictObject({
    apiVersion: z.literal("mayfly.dev/report/v1"),
    environment: z.string(),
    tenant: z.string(),
    job: z.string(),
    run: z.string(),
    attempt: z.int().min(1),
    engine: z.string(),
    version: z.string(),
    pool: z.string(),
    zone: z.string(),
    outcome: Outcome,
    startedAt: at,
    endedAt: at,
    phases: z.array(z.strictObject({ phase: Phase, startedAt: at, seconds: z.number() })),
    milestones: z
      .strictObject({
        objectsExist: z.number().optional(),
        driverStarted: z.number().optional(),
        result: z.number().optional(),
        gone: z.number().optional(),
      })
      .describe("Seconds from submit."),
    pods: z.array(PodReport),
    usage: z.strictObject({
      asked: z.strictObject({ coreSeconds: z.number(), gibSeconds: z.number() }),
      used: z.strictObject({ coreSeconds: z.number(), gibSeconds: z.number() }).optional(),
    }),
    cost: z
      .strictObject({ amount: z.number(), currency: z.string(), asOf: z.string() })
      .optional()
      .describe("An estimate."),
    output: z.array(z.string()),
    logs: z.array(z.string()).describe("s3:// locations of the saved logs."),
    left: z.array(z.string()).describe("What could not be removed; empty when nothing is left."),
    kept: z.boolean().describe("True when --keep left the cluster up on purpose."),
    earlier: z
      .array(
        z.strictObject({
          attempt: z.int().min(1),
          startedAt: at,
          outcome: Outcome,
          startedFrom: StateOrigin.optional().describe("Of a stream; left out where it began with no state."),
        }),
      )
      .optional()
      .describe("The attempts before this one, and how they ended; left out where there were none."),
    larger: z
      .strictObject({ driver: Grown.optional(), workers: Grown.optional() })
      .optional()
      .describe(
        "Containers that got more memory than the spec says, since an earlier attempt ran out of it.",
      ),
    stream: StreamReport.optional().describe("Of a stream."),
  })
  .meta({ id: "RunReport", title: "Mayfly run report" });
export type RunReport = z.infer<typeof RunReport>;

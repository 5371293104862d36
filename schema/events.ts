import { z } from "zod";
import { Outcome } from "./outcome.ts";
import { CostEstimate } from "./plan.ts";
import { Phase, RunReport } from "./report.ts";
import { StateOrigin, StreamReport } from "./stream.ts";

const common = { at: z.iso.datetime(), run: z.string() };

/** What `mayfly run --json` prints, one JSON object a line. The last line of a run is its `report`. */
export const RunEvent = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("planned"),
    ...common,
    job: z.string(),
    tenant: z.string(),
    namespace: z.string(),
    pods: z.int(),
    cpu: z.int().describe("Millicores."),
    memory: z.int().describe("MiB."),
    pool: z.string(),
    zone: z.string(),
    deadlineSeconds: z.int().optional().describe("A stream has none."),
    cost: CostEstimate.optional(),
    from: StateOrigin.optional().describe("State that a stream's attempt starts with."),
  }),
  z.strictObject({
    type: z.literal("phase"),
    ...common,
    attempt: z.int(),
    phase: Phase,
    elapsedSeconds: z.number(),
  }),
  z.strictObject({
    type: z.literal("resource"),
    ...common,
    operation: z.string().describe("create, delete, …"),
    kind: z.string().describe("Pulumi type token."),
    name: z.string(),
  }),
  z.strictObject({ type: z.literal("pod"), ...common, pod: z.string(), role: z.string(), state: z.string() }),
  z.strictObject({ type: z.literal("log"), ...common, source: z.string(), line: z.string() }),
  z.strictObject({ type: z.literal("warning"), ...common, message: z.string() }),
  z.strictObject({
    type: z.literal("savepoint"),
    ...common,
    location: z.string(),
    reason: z.enum(["suspend", "asked", "periodic"]),
  }),
  z.strictObject({
    type: z.literal("answer"),
    ...common,
    wish: z.string().describe("Id of what was asked of a live stream."),
    kind: z.enum(["suspend", "savepoint", "rescale"]),
    ok: z.boolean(),
    message: z.string(),
    savepoint: z.string().optional(),
  }),
  z
    .strictObject({ type: z.literal("stream"), ...common, attempt: z.int(), stream: StreamReport })
    .describe("What a stream's REST told: when it became healthy, every hour, and last of all."),
  z.strictObject({ type: z.literal("outcome"), ...common, outcome: Outcome }),
  z.strictObject({ type: z.literal("report"), ...common, report: RunReport }),
]);
export type RunEvent = z.infer<typeof RunEvent>;

import { z } from "zod";

const at = z.iso.datetime();

/** State that a stream can start from. */
export const StateOrigin = z.strictObject({
  location: z.string().describe("s3:// location of the savepoint or of the retained checkpoint."),
  kind: z.enum(["savepoint", "checkpoint"]),
});
export type StateOrigin = z.infer<typeof StateOrigin>;

/** A savepoint of a stream, as the ledger has it; a checkpoint where a suspend was content with one. */
export const SavepointReport = StateOrigin.extend({
  reason: z.enum(["suspend", "asked", "periodic"]),
  at,
  attempt: z.int().min(1),
});
export type SavepointReport = z.infer<typeof SavepointReport>;

/** What a stream is, or was, by what Flink's REST told last: what nobody was told is left out. */
export const StreamReport = z
  .strictObject({
    at: at.optional().describe("When Flink answered last, by its own clock."),
    state: z.string().optional().describe("Of Flink's job, such as RUNNING or RESTARTING."),
    uptimeSeconds: z.number().optional().describe("Of Flink's job, in this attempt."),
    restarts: z.int().min(0).optional().describe("By Flink itself, in this attempt."),
    parallelism: z.int().min(1).optional(),
    checkpoints: z
      .strictObject({
        completed: z.int().min(0),
        failed: z.int().min(0),
        last: z
          .strictObject({ id: z.int(), at, bytes: z.number(), seconds: z.number() })
          .optional()
          .describe("The last completed one: when it was triggered, bytes of state, seconds it took."),
        mean: z
          .strictObject({ of: z.int().min(1), bytes: z.number(), seconds: z.number() })
          .optional()
          .describe("By Flink's own summary; `of`: of how many completed ones."),
      })
      .optional(),
    records: z
      .strictObject({
        in: z.number().describe("What the sources gave."),
        out: z.number().describe("What came to the last operators."),
        inPerSecond: z.number().optional(),
        outPerSecond: z.number().optional(),
      })
      .optional()
      .describe(
        "Since the last start or restart by Flink; rates over the last minute, or since Flink was asked before.",
      ),
    lag: z
      .strictObject({ records: z.number().optional(), seconds: z.number().optional() })
      .optional()
      .describe("Where a source tells: records that wait, and how old the newest was when it was fetched."),
    startedFrom: StateOrigin.optional().describe("Left out where this attempt began with no state."),
    savepoints: z.array(SavepointReport).describe("Of this run, newest first; deleted ones are left out."),
    newest: StateOrigin.extend({ at })
      .optional()
      .describe("The newest state to go on from, of a run that has ended and was not suspended."),
    unhealthy: z.array(z.string()).describe("Why it is not well; empty where it is."),
  })
  .meta({ id: "StreamReport" });
export type StreamReport = z.infer<typeof StreamReport>;

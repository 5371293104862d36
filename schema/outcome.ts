import { z } from "zod";

const message = z.string().describe("One sentence for people.");

/** How a run ended. `lost` is never a success, and nothing else than the driver's own exit code 0 is; `suspended`: a stream, with its state saved. */
export const Outcome = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("succeeded") }),
  z.strictObject({
    kind: z.literal("user-failure"),
    exitCode: z.int().describe("Of the driver container."),
    exception: z.string().optional().describe("Last line of the Python or Java exception."),
    message,
  }),
  z.strictObject({
    kind: z.literal("out-of-memory"),
    pod: z.string(),
    container: z.string(),
    limitMib: z.int().positive(),
    message,
    advice: z.string(),
  }),
  z.strictObject({ kind: z.literal("image"), image: z.string(), message }),
  z.strictObject({ kind: z.literal("unschedulable"), missing: z.string(), message }),
  z.strictObject({
    kind: z.literal("refused"),
    by: z
      .enum(["policy", "quota", "input", "secret"])
      .describe("`input`, `secret`: what the job needs is not there."),
    message,
  }),
  z.strictObject({ kind: z.literal("infrastructure"), message }),
  z.strictObject({ kind: z.literal("lost"), message }),
  z.strictObject({
    kind: z.literal("deadline"),
    phase: z.enum(["pending", "image", "start", "run"]),
    limitSeconds: z.int(),
    message,
  }),
  z.strictObject({ kind: z.literal("cancelled"), message }),
  z.strictObject({
    kind: z.literal("suspended"),
    savepoint: z.string().describe("Where the stream's state is, for a further run to start from."),
    message,
  }),
]);
export type Outcome = z.infer<typeof Outcome>;

/** Exit codes of `mayfly run`, by outcome. Stable; listed in `mayfly run --help` and docs/outcomes.md. */
export const OUTCOME_EXIT: Readonly<Record<Outcome["kind"], number>> = {
  succeeded: 0,
  suspended: 0,
  "user-failure": 10,
  "out-of-memory": 11,
  image: 12,
  unschedulable: 13,
  refused: 14,
  lost: 15,
  deadline: 16,
  infrastructure: 17,
  cancelled: 130,
};

/** Exit code of a job that can't fit any node or quota; nothing was created. */
export const DOES_NOT_FIT_EXIT = 20;
/** Exit code when the run ended but something of it could not be removed; the message names what. */
export const LEFT_BEHIND_EXIT = 21;

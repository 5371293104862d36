/**
 * Mayfly as a library: the same functions, results and errors as the command line's.
 *
 *     import { run } from "mayfly";
 *     const report = await run("job.yaml", { onEvent: (event) => console.log(event.type) });
 *     console.log(report.outcome.kind, report.output);
 *
 * A run never throws for what its job did: that is `report.outcome`. It throws a {@link UserError} where nothing could be made. It
 * handles no signals: abort `options.signal` to cancel, and the cluster is destroyed before the promise settles.
 */
export { UserError } from "../base/errors.ts";
export type { RunEvent } from "../schema/events.ts";
export type { JobSpec } from "../schema/job.ts";
export type { Outcome } from "../schema/outcome.ts";
export type { Plan } from "../schema/plan.ts";
export type { RunReport } from "../schema/report.ts";
export * from "./run/index.ts";
export * from "./stream/index.ts";

import { UserError } from "../../base/errors.ts";
import type { FlinkStreamJob } from "../../schema/job.ts";

/** What `run` says of a stream, which has no end to wait for. It has the spec that was read: a pipe can't be read twice. */
export class IsAStream extends UserError {
  readonly spec: FlinkStreamJob;

  constructor(spec: FlinkStreamJob) {
    super("is-a-stream", `Job ${spec.name} is a stream: it has no end to wait for.`, {
      path: "kind",
      hint: "Start it with `mayfly run FILE` on the command line, or with startStream of mayfly's library.",
    });
    this.spec = spec;
  }
}

// Flink's REST and a stream's state in S3: what the driver asks of a live stream, and of what is left of one.
export { openFlink } from "./open.ts";
export { rescaleJob } from "./rescale.ts";
export { addSample } from "./samples.ts";
export { stopWithSavepoint, takeSavepoint } from "./savepoint.ts";
export {
  checkSavepoint,
  deleteSavepoint,
  finishedSavepoint,
  newestCheckpoint,
  newestState,
} from "./state.ts";
export { planThatLeft } from "./state-paths.ts";
export { sweepCheckpoints } from "./sweep.ts";
export type * from "./types.ts";
export { FlinkRestError } from "./types.ts";
export { watchStream } from "./watch.ts";

// Which runs a helper starts, and when: pure.
export { queueRefusal } from "./admission.ts";
export { backoffMs } from "./backoff.ts";
export { type ChooseInput, choose, PATIENCE } from "./choose.ts";
export type * from "./types.ts";

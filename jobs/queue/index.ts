// Which runs a helper starts, and when: pure.
export { queueRefusal } from "./admission.ts";
export { backoffMs } from "./backoff.ts";
export { type ChooseInput, choose, PATIENCE, roomFor } from "./choose.ts";
export { classRefusal, FINE_MAX, partsOf, rankOf } from "./rank.ts";
export type * from "./types.ts";
export { limitsOf } from "./types.ts";

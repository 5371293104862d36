// The only door to Pulumi's Automation API.

export type { ProcessEngine } from "./client.ts";
export { startEngine } from "./client.ts";
export type { EngineError } from "./errors.ts";
export { EngineFailure, isFencedOff } from "./errors.ts";
export type { EngineEvent, PolicyViolation, StackEngine } from "./types.ts";

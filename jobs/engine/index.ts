// The only door to Pulumi's Automation API.
export { startEngine } from "./client.ts";
export { EngineFailure } from "./errors.ts";
export type { EngineError, LockOwner, ResourceFailure } from "./errors.ts";
export type { ProcessEngine } from "./client.ts";
export type { EngineEvent, EngineResource, OperationOptions, StackEngine, StackSummary } from "./types.ts";
